"""nginx before the doors: who tries passwords, and who asks for too much at a time, is held back
there. The real nginx with the real template, before a server that answers slowly."""

import json
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
import requests

from eqtrade.up.binaries import nginx
from eqtrade.up.nginx import TEMPLATE, fill
from tests.stack.eventually import eventually
from tests.stack.running import free_port

TOKEN, LOGIN, ADMIN = "api/v1/token/", "login/", "admin/login/"


class Server(ThreadingHTTPServer):
    request_queue_size = 256


class Slow(BaseHTTPRequestHandler):
    """Answers at once, or after two seconds when asked for what is slow."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if "slow" in self.path:
            time.sleep(2.0)
        self.send_response(429 if "refused" in self.path else 200)
        if "refused" in self.path:
            self.send_header("Retry-After", "77")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(place: Path) -> Iterator[str]:
    server = Server(("127.0.0.1", 0), Slow)
    Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    port = free_port()
    behind = f"server 127.0.0.1:{server.server_address[1]};"
    settings = place / "nginx.conf"
    values = {
        "WORKER_PROCESSES": "2", "LISTEN": f"127.0.0.1:{port}", "API_SERVERS": behind,
        "WS_SERVERS": behind, "FLOWER_SERVERS": behind, "RESOLVER": "", "PROXY_RANGES": "",
        "REAL_IP": "set_real_ip_from 127.0.0.0/8;", "SESSION_COOKIE": "sessionid",
        "STATIC_ROOT": str(place), "TEMP_ROOT": str(place), "LOG_FORMAT": "lines",
    }  # fmt: skip
    settings.write_text(fill(TEMPLATE.read_text(), values))
    options = f'daemon off; pid "{place}/nginx.pid"; user root;'
    command = [str(nginx()), "-p", f"{place}/", "-c", str(settings), "-e", "stderr", "-g", options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    found = f"http://127.0.0.1:{port}/"
    eventually(lambda: requests.get(found, timeout=5))
    yield found
    process.terminate()
    process.wait(10)
    server.shutdown()
    server.server_close()


def ask(url: str, method: str = "POST", **headers: str) -> requests.Response:
    return requests.request(method, url, headers=headers, timeout=30)


def at_a_time(count: int, url: str, method: str = "GET", **headers: str) -> Counter[int]:
    with ThreadPoolExecutor(count) as pool:
        answers = pool.map(lambda _: ask(url, method, **headers).status_code, range(count))
        return Counter(answers)


@pytest.mark.parametrize("door", [TOKEN, LOGIN, ADMIN])
def test_an_address_has_a_burst_at_the_doors(url: str, door: str) -> None:
    attacker, other = {"X-Forwarded-For": "203.0.113.7"}, {"X-Forwarded-For": "203.0.113.8"}
    answers = [ask(url + door, **attacker) for _ in range(200)]
    statuses = Counter(answer.status_code for answer in answers)
    # Sixty and one, and those that became due meanwhile.
    assert 61 <= statuses[200] < 150, statuses
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["Retry-After"] == "1"
    if door == TOKEN:
        assert refused.json()["errors"][0]["code"] == "throttled"
    assert ask(url + door, **other).status_code == 200
    # What is no login goes on, for the attacker too.
    assert ask(url + door, "GET", **attacker).status_code == 200
    assert ask(url + "api/v1/accounts/", "GET", **attacker).status_code == 200


def test_what_cannot_be_read_is_refused_in_the_apis_form(url: str) -> None:
    """nginx answers such a request itself, most of them before it knows the address."""
    rest = b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    for sent, status, code in (
        (b"GET /api/v1/trades/%00/" + rest, 400, "bad_request"),
        (b"GET /api/../../x" + rest, 400, "bad_request"),
        (b"GET /api/v1/trades/ HTTP/1.1\r\n", 400, "bad_request"),
        (b"POST /api/v1/trades/" + rest + b"Content-Length: x\r\n", 400, "bad_request"),
        (b"POST /api/v1/trades/" + rest + b"Transfer-Encoding: chunked\r\n\r\nz\r\n", 400,
         "bad_request"),
        (b"GET /api/v1/trades/" + rest + b"X-Long: " + b"x" * 9000 + b"\r\n", 400,
         "headers_too_large"),
        (b"TRACE /api/v1/trades/" + rest, 405, "method_not_allowed"),
        (b"GET /api/v1/trades/?" + b"x" * 9000 + rest, 414, "uri_too_long"),
        (b"GET /api/v1/trades/" + rest + b"Transfer-Encoding: x\r\n", 501, "not_implemented"),
        (b"GET /api/v1/trades/ HTTP/9.9\r\n", 505, "http_version"),
    ):  # fmt: skip
        head, _, body = exchanged(url, sent + b"\r\n").partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status), (sent[:60], head)
        assert b"Content-Type: application/json" in head, sent[:60]
        assert json.loads(body)["errors"][0]["code"] == code, sent[:60]


def exchanged(url: str, sent: bytes) -> bytes:
    """What is answered to these bytes."""
    host, port = urlsplit(url).netloc.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_no_other_call_has_a_rate(url: str) -> None:
    statuses = Counter(ask(url + "api/v1/trades/").status_code for _ in range(150))
    assert statuses == {200: 150}


@pytest.mark.parametrize("who", ["Authorization", "Cookie"])
def test_a_callers_calls_in_flight_are_bounded(url: str, who: str) -> None:
    """At most 32 of one caller are answered at a time; others are not concerned."""
    mine = {who: "Token abc" if who == "Authorization" else "sessionid=abc"}
    statuses = at_a_time(48, url + "api/v1/slow/", **mine)
    assert set(statuses) == {200, 429}
    assert statuses[200] <= 34, statuses
    assert at_a_time(32, url + "api/v1/slow/", **mine) == {200: 32}
    with ThreadPoolExecutor(1) as beside:
        pending = beside.submit(at_a_time, 40, url + "api/v1/slow/", **mine)
        time.sleep(0.2)
        assert ask(url + "api/v1/accounts/", "GET", Authorization="Token other").status_code == 200
        pending.result()


def test_a_users_calls_are_counted_over_all_their_tokens_and_sessions(url: str) -> None:
    """The real keys, by what the application makes of them."""
    tag, other = "0123456789abcdef0123", "fedcba9876543210fedc"
    signs = "abcdefghijklmnopqrstuvwxyz012345"
    keys = [
        *({"Authorization": f"Token eqt_{tag}_{n:043}"} for n in range(24)),
        *({"Cookie": f"sessionid={tag}{signs[n:]}{signs[:n]}"} for n in range(24)),
    ]

    def all_at_once(keys: list[dict[str, str]]) -> Counter[int]:
        with ThreadPoolExecutor(len(keys)) as pool:
            asked = pool.map(lambda key: ask(url + "api/v1/slow/", "GET", **key).status_code, keys)
            return Counter(asked)

    statuses = all_at_once(keys)
    assert set(statuses) == {200, 429}
    assert statuses[200] <= 34, statuses
    # Two users, and keys without a tag, each for itself.
    two = [{"Authorization": f"Token eqt_{t}_{n:043}"} for t in (tag, other) for n in range(24)]
    assert all_at_once(two) == {200: 48}
    plain = [{"Authorization": f"Token eqt_{n:043}"} for n in range(48)]
    assert all_at_once(plain) == {200: 48}


@pytest.mark.parametrize("door", ["password/", "reauthenticate/", "second-factor/authenticate/",
                                  "second-factor/reauthenticate/", "oidc/sso/login/"])  # fmt: skip
def test_the_further_doors_have_the_same_burst(url: str, door: str) -> None:
    statuses = Counter(ask(url + door).status_code for _ in range(100))
    assert statuses[429] > 0


@pytest.mark.parametrize(
    "path", ["admin/trades/trade/export/csv/?slow", "api/v1/trades/imports/slow/errors.csv"]
)
def test_a_callers_exports_are_two_at_a_time(url: str, path: str) -> None:
    statuses = at_a_time(6, url + path, Cookie="sessionid=abc")
    assert statuses == {200: 2, 429: 4}


def test_watchers_are_not_counted(url: str) -> None:
    assert at_a_time(40, url + "ws/slow/", Cookie="sessionid=abc") == {200: 40}


def test_the_applications_own_refusal_passes(url: str) -> None:
    answer = ask(url + "api/v1/refused/")
    assert (answer.status_code, answer.headers["Retry-After"], answer.content) == (429, "77", b"")


def test_a_long_body_at_a_door_is_refused(url: str) -> None:
    answer = requests.post(url + TOKEN, data=b"x" * 100_000, timeout=30)
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["code"] == "payload_too_large"
