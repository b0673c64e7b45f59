"""The load generator of the benchmarks: what it counts is what was answered."""

import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks.rig.load import LoadFailed, load, request_bytes
from benchmarks.rig.sender import NUMBER

A_CONNECTION = 7
"""Requests after which the server ends a connection, as nginx does after a thousand."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.paths: Counter[str] = Counter()
        self.bodies: list[bytes] = []
        self.answer = b"x"
        self.fails_after = 1_000_000


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server
    answered = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.paths[self.path] += 1
            self.server.bodies.append(body)
            fails = self.server.paths.total() > self.server.fails_after
        self.answered += 1
        self.send_response(500 if fails else 201)
        self.send_header("Content-Length", str(len(self.server.answer)))
        if self.answered == A_CONNECTION:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def requests() -> list[bytes]:
    body = {"id": NUMBER.decode()}
    return [request_bytes("POST", f"/{number}", {}, body) for number in range(3)]


@pytest.mark.parametrize("size", [1, 300_000])
def test_each_answer_is_counted_once_with_its_request(server: Server, size: int) -> None:
    server.answer = b"x" * size
    with load(server.server_port, requests(), connections=4, status=201) as sender:
        runs = [sender.run(0.3), sender.run(0.1)]
    answered = [sum(counts) for counts in zip(*(run.answered for run in runs), strict=True)]
    assert {f"/{number}": count for number, count in enumerate(answered)} == server.paths
    assert sum(run.count for run in runs) == server.paths.total() > 4 * A_CONNECTION
    assert len(set(server.bodies)) == len(server.bodies), "a number was sent twice"


def test_another_status_than_the_expected_one_fails_the_run(server: Server) -> None:
    server.fails_after = 20
    with (
        load(server.server_port, requests(), connections=4, status=201) as sender,
        pytest.raises(LoadFailed, match="500"),
    ):
        sender.run(5)
    assert server.paths.total() < 20 + 2 * 4, "it went on after the failure"
