"""The server: a proxy that answers CONNECT by being every host itself, with a certificate of the
tests' own authority. So yfinance asks its real addresses, over TLS, and no packet leaves."""

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import trustme

from tests.yahoo.market import Market, moment, no_such_symbol

CRUMB = "a.Crumb1"
HOSTS = ("*.finance.yahoo.com", "*.yahoo.com", "finance.yahoo.com")


@dataclass(frozen=True)
class Asked:
    """One request, as the server saw it: `kind` is quote, chart, crumb, cookie or other."""

    kind: str
    host: str
    path: str
    query: dict[str, str]
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    # Sent before the connection ends, where that is less than the body; seconds before any of it.
    cut_at: int | None = None
    hang: float = 0


TOO_MANY = b"Too Many Requests\r\n"
Fault = Callable[[Asked], Answer | None]


class YahooServer:
    """`fault` may answer instead of the market; `asked` is what came, in order."""

    def __init__(self) -> None:
        self.market: Market | None = None
        self.fault: Fault = lambda _: None
        self.asked: list[Asked] = []
        self.crumb_is_needed = True
        authority = trustme.CA()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*HOSTS).configure_cert(self._context)
        self.authority = authority.cert_pem.bytes()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @contextmanager
    def running(self) -> Iterator["YahooServer"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._http.shutdown()
            self._http.server_close()

    def environment(self, place: Path) -> dict[str, str]:
        """What makes curl, and Python's own TLS, come here."""
        file = place / "authority.pem"
        file.write_bytes(self.authority)
        return {
            "HTTPS_PROXY": self.url,
            "https_proxy": self.url,
            "NO_PROXY": "",
            "no_proxy": "",
            "REQUESTS_CA_BUNDLE": str(file),
            "CURL_CA_BUNDLE": str(file),
        }

    def reset(self) -> None:
        """Between tests. yfinance remembers charts of the past, and a test's present is past."""
        from yfinance.data import YfData

        YfData.cache_get.cache_clear()
        self.market, self.fault, self.crumb_is_needed = None, lambda _: None, True
        self.asked.clear()

    def count(self, *kinds: str) -> int:
        return sum(asked.kind in kinds for asked in self.asked)

    def data_requests(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.kind in ("quote", "chart")]

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        return self.fault(asked) or self._usual(asked)

    def _usual(self, asked: Asked) -> Answer:
        if asked.kind == "cookie":
            cookie = {"Set-Cookie": "A3=d=1; Domain=.yahoo.com; Path=/; Max-Age=31536000"}
            return Answer(404, headers=cookie)
        if asked.kind == "crumb":
            return Answer(body=CRUMB.encode(), headers={"Content-Type": "text/plain"})
        if asked.kind == "quote" and self.crumb_is_needed and asked.query.get("crumb") != CRUMB:
            return _json({"finance": {"result": None, "error": {"code": "Unauthorized"}}}, 401)
        if self.market is None or asked.kind == "other":
            return Answer(404, b"<html>not here</html>")
        if asked.kind == "quote":
            return _json(self.market.quotes(asked.symbols))
        symbol = asked.symbols[0]
        if not self.market.knows(symbol):
            return _json(no_such_symbol(), 404)
        if asked.query.get("interval") == "1m":
            return _json(self.market.minutes(symbol))
        if "period1" not in asked.query:
            return _json(self.market.minutes(symbol))
        query = asked.query
        return _json(self.market.days(symbol, moment(query["period1"]), moment(query["period2"])))

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server, context = self, self._context

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            host = ""

            def do_CONNECT(self) -> None:
                self.host = self.path.split(":")[0]
                self.send_response(200, "Connection established")
                self.end_headers()
                self.wfile.flush()
                self.connection = context.wrap_socket(self.connection, server_side=True)
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", buffering=0)
                self.close_connection = False

            def do_GET(self) -> None:
                answer = server.answer(_asked(self.host, self.path))
                if answer.hang:
                    time.sleep(answer.hang)
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body[: answer.cut_at])
                if answer.cut_at is not None:
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                pass

            def handle(self) -> None:
                with suppress(OSError, ssl.SSLError):  # the client has hung up
                    super().handle()

        return Handler


def _asked(host: str, target: str) -> Asked:
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if parts.path.rstrip("?").startswith("/v7/finance/quote"):
        symbols = tuple(query.get("symbols", "").split(","))
        return Asked("quote", host, parts.path, query, symbols)
    if parts.path.startswith("/v8/finance/chart/"):
        symbol = unquote(parts.path.rsplit("/", 1)[1])
        return Asked("chart", host, parts.path, query, (symbol,))
    if parts.path == "/v1/test/getcrumb":
        return Asked("crumb", host, parts.path, query)
    kind = "cookie" if host == "fc.yahoo.com" else "other"
    return Asked(kind, host, parts.path, query)


def _json(body: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(body).encode())


@pytest.fixture(scope="session")
def _one_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[YahooServer]:
    """One for the process: yfinance keeps one session for as long as it runs."""
    with YahooServer().running() as server, pytest.MonkeyPatch.context() as patched:
        for name, value in server.environment(tmp_path_factory.mktemp("yahoo")).items():
            patched.setenv(name, value)
        yield server


@pytest.fixture
def yahoo_server(_one_server: YahooServer) -> YahooServer:
    """As if it had just been started: no test meets the faults of another."""
    _one_server.reset()
    return _one_server
