"""What granian is given: a whole answer as a list, which it sends at once; a stream as it comes."""

import io
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.signals import request_finished
from django.db import connection
from django.http import StreamingHttpResponse

from eqtrade import wsgi


@pytest.fixture
def finished() -> Any:
    """How often a request ended: connections are given back then. There is none yet, whatever ran
    before in this process: one that it left open would be looked at, and these tests have no right
    to a database."""
    connection.close()
    seen: list[Any] = []

    def note(**_: Any) -> None:
        seen.append(None)

    request_finished.connect(note)
    yield seen
    request_finished.disconnect(note)


def asked(method: str = "GET") -> tuple[dict[str, Any], list[str], Any]:
    environ: dict[str, Any] = {"PATH_INFO": "/healthz", "REQUEST_METHOD": method}
    setup_testing_defaults(environ)
    environ |= {"HTTP_HOST": "127.0.0.1", "wsgi.input": io.BytesIO()}
    said: list[str] = []
    return environ, said, lambda status, headers: said.append(status)


def test_whole_answer_is_a_list_and_has_ended(finished: list[Any]) -> None:
    environ, said, start_response = asked()
    answer = wsgi.application(environ, start_response)
    assert said == ["200 OK"]
    assert isinstance(answer, list)
    assert b"".join(answer)
    assert len(finished) == 1


def test_stream_goes_on_as_it_comes_and_is_ended_by_the_server(
    finished: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = StreamingHttpResponse([b"first,", b"second"])
    monkeypatch.setattr(wsgi, "_django", lambda *_: stream)
    environ, _, start_response = asked()
    answer = wsgi.application(environ, start_response)
    assert answer is stream
    assert not finished
    assert b"".join(answer) == b"first,second"
    stream.close()
    assert len(finished) == 1
