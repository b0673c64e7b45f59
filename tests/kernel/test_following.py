"""A request's id: who is believed, what is carried, and what no line may hold."""

import io
import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import structlog
from django.conf import settings
from django.test import RequestFactory

from eqtrade.log import blotted, settings_of
from kernel import following
from kernel.following import HEADER, MOST_NAMED, Followed, request_id_of


def asked(said: str, peer: str) -> str:
    request = RequestFactory().get("/", REMOTE_ADDR=peer)
    if said:
        request.META[HEADER] = said
    return request_id_of(request)


def test_only_nginx_is_believed_and_only_a_plain_id() -> None:
    assert asked("5f2a-9C0e", "") == "5f2a-9C0e"
    assert asked("5f2a9c0e", "198.51.100.7") != "5f2a9c0e"
    for wrong in ("", "two words", "x" * 65, 'a"b', "a;b", "ä" * 9):
        assert asked(wrong, "") != wrong


def test_a_made_up_id_stays_the_same_whoever_asks() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="198.51.100.7")
    assert request_id_of(request) == request_id_of(request)


def test_what_a_request_left_is_carried_with_a_bound() -> None:
    begun = following.begins("5f2a9c0e")
    try:
        found = following.followed(accounts=[*range(50), 1], trades=["t"] * 50)
    finally:
        following.ends(begun)
    assert following.followed(accounts=[1]) is None
    assert found is not None
    assert len(found.accounts) == len(found.trades) == MOST_NAMED
    read = Followed.of_text(found.as_text())
    assert (read.request_id, read.accounts) == ("5f2a9c0e", found.accounts)
    assert read.concerns([99, 3])
    assert not read.concerns([99])


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is written as JSON."""
    stream = io.StringIO()
    made = settings_of(as_json=True, level="INFO")
    made["handlers"]["stderr"]["stream"] = stream
    logging.config.dictConfig(made)
    yield stream
    logging.config.dictConfig(settings.LOGGING)


def test_both_ways_of_logging_have_the_id(written: io.StringIO) -> None:
    begun = following.begins("5f2a9c0e")
    logging.getLogger("eqtrade.test").warning("%s came", "it")
    structlog.get_logger("eqtrade.test").info("it came", trades=["a"])
    following.ends(begun)
    try:
        raise ValueError("Authorization: Token 0123456789abcdef0123456789abcdef01234567")
    except ValueError:
        logging.getLogger("eqtrade.test").exception("failed")
    first, second, third = (json.loads(line) for line in written.getvalue().splitlines())
    assert first["event"] == "it came"
    assert (second["trades"], second["level"]) == (["a"], "info")
    assert first["request_id"] == second["request_id"] == "5f2a9c0e"
    assert "request_id" not in third
    assert "0123456789abcdef" not in third["exception"]
    assert "Traceback" in third["exception"]


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("redis://eqtrade:hunter22@redis:6379/0 is away", "hunter22"),
        ('{"password": "hunter22"}', "hunter22"),
        ("password=hunter22&next=/", "hunter22"),
        ("GET /oidc/x/login/callback/?code=hunter22&state=hunter22", "hunter22"),
        ("authorization: bearer abcdefghijklmnopqrstuvwxyz", "abcdefghijkl"),
    ],
)
def test_secrets_of_others_messages_are_blotted_out(line: str, secret: str) -> None:
    assert secret not in blotted(line)
    assert len(blotted(line)) > 10


def test_what_is_no_secret_stays() -> None:
    line = "Token use of 3 users; http://127.0.0.1:8000/ answers with state"
    assert blotted(line) == line
