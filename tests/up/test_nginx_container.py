"""nginx as it runs in containers: replicas that come and go, proxies that are trusted or not, doors
for staff only. The real nginx with the real template; names come from a server of loopback."""

import json
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from eqtrade.up.binaries import nginx
from eqtrade.up.nginx import TEMPLATE, fill
from eqtrade.up.options import PROJECT
from tests.stack.eventually import eventually
from tests.stack.running import free_port
from tests.up.name_server import NameServer

PAGE_POLICY = "default-src 'none'; script-src 'self'"
ADDRESSES = ("127.0.0.11", "127.0.0.12")


class Replica(BaseHTTPRequestHandler):
    """Says who answers, and what it was told; knows staff by a header of this test."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status = 200
        if self.path == "/internal/staff/":
            known = {"staff": 204, "user": 403, "foreign host": 400, "down": 503}
            status = known.get(self.headers.get("X-Who", ""), 401)
        told = {
            "by": str(self.connection.getsockname()[0]),
            "client": self.headers.get("X-Real-IP"),
            "scheme": self.headers.get("X-Forwarded-Proto"),
            "request": self.headers.get("X-Request-ID"),
            "trace": self.headers.get("traceparent"),
        }
        body = b"" if status == 204 else json.dumps(told).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.path == "/page":
            self.send_header("Content-Security-Policy", PAGE_POLICY)
            self.send_header("Cache-Control", "max-age=60")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[int]:
    """Two replicas on two addresses and one port."""
    first = ThreadingHTTPServer((ADDRESSES[0], 0), Replica)
    port = int(first.server_address[1])
    servers = [first, ThreadingHTTPServer((ADDRESSES[1], port), Replica)]
    for server in servers:
        Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
    yield port
    for server in servers:
        server.shutdown()
        server.server_close()


Entrance = Callable[..., str]


@pytest.fixture
def entrance(place: Path, api: int) -> Iterator[Entrance]:
    """Starts nginx in front of `api`; its URL. With `names`, it asks that server for them."""
    running: list[subprocess.Popen[bytes]] = []

    def start(names: NameServer | None = None, trusted: str = "") -> str:
        port = free_port()
        server = f"server api:{api} resolve;" if names else f"server {ADDRESSES[0]}:{api};"
        settings = place / "nginx.conf"
        settings.write_text(
            fill(
                TEMPLATE.read_text(),
                {
                    "WORKER_PROCESSES": "2",
                    "LISTEN": f"127.0.0.1:{port}",
                    "API_SERVERS": server,
                    "WS_SERVERS": server,
                    "FLOWER_SERVERS": server,
                    "RESOLVER": f"resolver 127.0.0.1:{names.port} valid=1s;" if names else "",
                    "REAL_IP": f"set_real_ip_from {trusted};" if trusted else "",
                    "PROXY_RANGES": f"{trusted} 1;" if trusted else "",
                    "LOG_FORMAT": "json",
                    "SESSION_COOKIE": "sessionid",
                    "STATIC_ROOT": str(place),
                    "TEMP_ROOT": str(place),
                },
            )
        )
        options = f'daemon off; pid "{place}/nginx.pid"; user root;'
        command = [str(nginx()), "-p", f"{place}/", "-c", str(settings), "-e", "stderr"]
        running.append(
            subprocess.Popen([*command, "-g", options], stdout=subprocess.DEVNULL, stderr=None)
        )
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: requests.get(url, timeout=5))
        return url

    yield start
    for one in running:
        one.terminate()
        one.wait(10)


def answering(url: str) -> set[str]:
    """Who answers a handful of requests at once."""
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: requests.get(url, timeout=10), range(16))
        return {a.json()["by"] if a.status_code == 200 else str(a.status_code) for a in answers}


def test_replicas_come_and_go(entrance: Entrance) -> None:
    with NameServer([ADDRESSES[0]]) as names:
        url = entrance(names)

        def only(*expected: str) -> None:
            assert answering(url) == set(expected)

        eventually(lambda: only(ADDRESSES[0]))
        names.addresses = [*ADDRESSES]
        eventually(lambda: only(*ADDRESSES))
        names.addresses = [ADDRESSES[1]]
        eventually(lambda: only(ADDRESSES[1]))


def test_a_trusted_proxy_says_who_the_client_is(entrance: Entrance) -> None:
    url = entrance(trusted="127.0.0.0/8")
    said = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    told = requests.get(url, headers=said, timeout=10).json()
    assert (told["client"], told["scheme"]) == ("203.0.113.7", "https")


@pytest.mark.parametrize(
    ("trusted", "said", "is_believed"),
    [
        ("127.0.0.0/8", "5f2a9c0e-71", True),
        ("127.0.0.0/8", "short", False),
        ("127.0.0.0/8", 'x","status":"200', False),
        ("203.0.113.0/24", "5f2a9c0e-71", False),
    ],
)
def test_a_plain_id_of_a_trusted_proxy_is_the_requests(
    entrance: Entrance, trusted: str, said: str, is_believed: bool
) -> None:
    answer = requests.get(entrance(trusted=trusted), headers={"X-Request-ID": said}, timeout=10)
    found = answer.json()["request"]
    assert found == answer.headers["X-Request-ID"]
    assert (found == said) == is_believed
    assert re.fullmatch("[0-9a-f-]{8,64}", found)


@pytest.mark.parametrize(
    ("trusted", "said", "is_believed"),
    [
        ("127.0.0.0/8", f"00-{'a' * 32}-{'b' * 16}-01", True),
        ("127.0.0.0/8", f"00-{'a' * 32}-{'b' * 16}-01-x", False),
        ("203.0.113.0/24", f"00-{'a' * 32}-{'b' * 16}-01", False),
    ],
)
def test_a_trace_of_a_trusted_proxy_goes_on(
    entrance: Entrance, trusted: str, said: str, is_believed: bool
) -> None:
    headers = {"traceparent": said, "tracestate": "x=1"}
    answer = requests.get(entrance(trusted=trusted), headers=headers, timeout=10)
    assert answer.json()["trace"] == (said if is_believed else None)


def test_a_proxy_that_is_not_trusted_cannot_say_who_the_client_is(entrance: Entrance) -> None:
    url = entrance(trusted="203.0.113.0/24")
    said = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https", "X-Real-IP": "1.2.3.4"}
    told = requests.get(url, headers=said, timeout=10).json()
    assert (told["client"], told["scheme"]) == ("127.0.0.1", "http")


@pytest.mark.parametrize(("who", "status"), [("staff", 200), ("user", 403), ("stranger", 401)])
def test_metrics_are_for_staff(entrance: Entrance, who: str, status: int) -> None:
    answer = requests.get(f"{entrance()}/metrics", headers={"X-Who": who}, timeout=10)
    assert answer.status_code == status


def test_flower_sends_a_stranger_to_the_login(entrance: Entrance) -> None:
    url = entrance()
    answer = requests.get(f"{url}/flower/tasks", allow_redirects=False, timeout=10)
    assert answer.headers["Location"] == f"{url}/login/?next=/flower/tasks"
    staff = requests.get(f"{url}/flower/tasks", headers={"X-Who": "staff"}, timeout=10)
    assert staff.status_code == 200


@pytest.mark.parametrize(("who", "status"), [("foreign host", 400), ("down", 503)])
@pytest.mark.parametrize("path", ["/flower/", "/metrics"])
def test_who_is_asking_is_not_known(entrance: Entrance, path: str, who: str, status: int) -> None:
    answer = requests.get(f"{entrance()}{path}", headers={"X-Who": who}, timeout=10)
    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == ("2" if status == 503 else None)


@pytest.mark.parametrize("path", ["/api/v1/x", "/static/none.js", "/healthz", "/internal/x", "/x"])
def test_what_is_no_page_loads_nothing_and_stays_nowhere(entrance: Entrance, path: str) -> None:
    """What nginx says itself, too."""
    found = requests.get(f"{entrance()}{path}", timeout=10).headers
    policy = found["Content-Security-Policy"]
    for directive in ("default-src", "object-src", "base-uri", "form-action", "frame-ancestors"):
        assert f"{directive} 'none'" in policy
    assert "unsafe" not in policy
    assert (found["X-Content-Type-Options"], found["X-Frame-Options"]) == ("nosniff", "DENY")
    assert found["Referrer-Policy"] == "same-origin"
    assert found["Cross-Origin-Resource-Policy"] == "same-origin"
    if not path.startswith("/static/"):
        assert found["Cache-Control"] == "no-store"


def test_a_page_has_its_own_policy_once_and_stays_nowhere(entrance: Entrance) -> None:
    found = requests.get(f"{entrance()}/page", timeout=10).headers
    assert found["Content-Security-Policy"] == PAGE_POLICY
    assert found["Cache-Control"] == "no-store"


def test_flower_runs_its_own_files_and_one_script_known_by_its_hash(entrance: Entrance) -> None:
    answer = requests.get(f"{entrance()}/flower/", headers={"X-Who": "staff"}, timeout=10)
    directives = answer.headers["Content-Security-Policy"].split("; ")
    scripts = [d for d in directives if d.startswith("script-src")]
    assert len(scripts) == 1
    assert scripts[0].startswith("script-src 'self' 'sha256-")
    assert "unsafe" not in scripts[0]


def test_a_redirect_names_no_port_of_its_own(entrance: Entrance) -> None:
    answer = requests.get(f"{entrance()}/flower", allow_redirects=False, timeout=10)
    assert (answer.status_code, answer.headers["Location"]) == (301, "/flower/")


def test_thousands_of_open_connections_leave_room(entrance: Entrance) -> None:
    """Each watcher's websocket stays open; two workers had room for 2,048 sockets in all."""
    url = entrance()
    address = ("127.0.0.1", int(url.rpartition(":")[2]))
    with ExitStack() as opened:
        for _ in range(3_000):
            one = opened.enter_context(socket.create_connection(address, timeout=30))
            one.sendall(b"GET / HTTP/1.1\r\n")  # idle ones nginx would give up for new ones
        assert requests.get(url, timeout=30).status_code == 200


def test_nobody_asks_what_nginx_asks(entrance: Entrance) -> None:
    answer = requests.get(f"{entrance()}/internal/staff/", headers={"X-Who": "staff"}, timeout=10)
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("version", "resolves"), [("1.26.3", False), ("1.27.3", True), ("1.28.0", True)]
)
def test_the_container_takes_names_where_nginx_can(
    place: Path, version: str, resolves: bool
) -> None:
    program = place / "nginx"
    program.write_text(f"#!/bin/sh\necho 'nginx version: nginx/{version}' >&2\n")
    program.chmod(0o755)
    script = f'set -e; . "{PROJECT}/deploy/nginx/10-eqtrade.envsh"; echo "$API_SERVERS|$REAL_IP"'
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"PATH": f"{place}:/usr/bin:/bin", "TRUSTED_PROXIES": "10.0.0.0/8 192.168.0.0/16"},
        capture_output=True,
        text=True,
        check=True,
    )
    servers, _, real_ip = done.stdout.strip().partition("|")
    assert (servers == "server api:8000 resolve;") is resolves
    assert real_ip.split(";")[:2] == [
        " set_real_ip_from 10.0.0.0/8",
        " set_real_ip_from 192.168.0.0/16",
    ]


def test_every_value_of_the_template_is_exported_and_let_through() -> None:
    """The image fills in what its filter lets through; the rest stays in the settings as it is."""
    values = set(re.findall(r"\$\{([A-Z_]+)\}", TEMPLATE.read_text()))
    exported = (PROJECT / "deploy" / "nginx" / "10-eqtrade.envsh").read_text()
    told = re.search(r"NGINX_ENVSUBST_FILTER=(\S+)", (PROJECT / "Dockerfile").read_text())
    assert told is not None
    assert values
    assert {name for name in values if not re.search(rf"\b{name}=", exported)} == set()
    assert {name for name in values if not re.search(told[1], name)} == set()
