"""What the Yahoo source makes of failures: each told by its kind, and nothing asked too fast."""

import os
import subprocess
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest

from prices.sources import FailureKind
from prices.sources.yahoo import YahooSource
from prices.sources.yfinance_client import YahooClient, cache_directory
from tests.prices.yahooing import (
    GONE,
    IBM,
    MANY,
    NOW,
    THURSDAY,
    clock,
    failure_of,
    market_of,
    only,
    source,
    yahoo,
)
from tests.yahoo.server import TOO_MANY, Answer, YahooServer

__all__ = ["clock", "source", "yahoo"]

pytestmark = pytest.mark.django_db


LATE = "Wed, 21 Oct 2015 07:28:00 GMT"
FAULTS = [
    (Answer(429, TOO_MANY), FailureKind.RATE_LIMITED, None),
    (Answer(429, TOO_MANY, {"Retry-After": "77"}), FailureKind.RATE_LIMITED, timedelta(seconds=77)),
    (Answer(429, TOO_MANY, {"Retry-After": LATE}), FailureKind.RATE_LIMITED, timedelta()),
    (Answer(429, TOO_MANY, {"Retry-After": "soon"}), FailureKind.RATE_LIMITED, None),
    (Answer(500, b"<html>oops</html>"), FailureKind.SERVER_ERROR, None),
    (Answer(200, b'{"quoteResponse": {"res'), FailureKind.MALFORMED, None),
    (Answer(200, b"[]"), FailureKind.MALFORMED, None),
    (Answer(200, b'{"quoteResponse": {}}', cut_at=9), FailureKind.NETWORK, None),
    (Answer(200, b"{}", hang=1.5), FailureKind.TIMEOUT, None),
]


@pytest.mark.parametrize(("answer", "kind", "retry_after"), FAULTS)
def test_quotes_that_fail_say_how(
    yahoo: YahooServer,
    source: YahooSource,
    answer: Answer,
    kind: FailureKind,
    retry_after: timedelta | None,
) -> None:
    yahoo.fault = only("quote", lambda _: answer)
    failure = failure_of(lambda: source.quotes([IBM], now=NOW))
    assert (failure.kind, failure.retry_after) == (kind, retry_after)


def chart_error(words: str) -> bytes:
    return b'{"chart":{"result":null,"error":{"code":"x","description":"%s"}}}' % words.encode()


CHART_FAULTS = [
    (Answer(429, TOO_MANY), FailureKind.RATE_LIMITED),
    (Answer(500, b"<html>oops</html>"), FailureKind.MALFORMED),
    (Answer(500, chart_error("Internal trouble")), FailureKind.SERVER_ERROR),
    (Answer(200, b'{"chart": {"res'), FailureKind.MALFORMED),
    (Answer(200, b'{"chart": {}}', cut_at=9), FailureKind.NETWORK),
    (Answer(200, b"{}", hang=1.5), FailureKind.TIMEOUT),
]


@pytest.mark.parametrize(("answer", "kind"), CHART_FAULTS)
def test_closes_that_fail_say_how(
    yahoo: YahooServer, source: YahooSource, answer: Answer, kind: FailureKind
) -> None:
    yahoo.fault = only("chart", lambda _: answer)
    failure = failure_of(lambda: source.closes([IBM], THURSDAY, THURSDAY, now=NOW))
    assert failure.kind == kind
    assert failure.is_partial == (kind != FailureKind.RATE_LIMITED)


def test_a_rate_limit_stops_at_once_and_keeps_what_came(
    yahoo: YahooServer, source: YahooSource
) -> None:
    yahoo.fault = only("quote", lambda a: Answer(429, TOO_MANY) if "T100" in a.symbols else None)
    failure = failure_of(lambda: source.quotes(MANY, now=NOW))
    assert len(failure.quotes) == 100
    # One that answered, and the one that did not, which yfinance itself tries twice.
    assert yahoo.count("quote") == 3
    yahoo.asked.clear()
    yahoo.fault = only("chart", lambda a: Answer(429, TOO_MANY) if "T3" in a.symbols else None)
    failure = failure_of(lambda: source.closes(MANY[:9], THURSDAY, THURSDAY, now=NOW))
    assert (len(failure.closes), failure.is_partial) == (3, False)
    assert yahoo.count("chart") == 5


def test_one_symbol_that_fails_does_not_stop_the_others(
    yahoo: YahooServer, source: YahooSource
) -> None:
    broken = Answer(200, b'{"chart": {"res')
    yahoo.fault = only("chart", lambda a: broken if "T3" in a.symbols else None)
    failure = failure_of(lambda: source.closes(MANY[:9], THURSDAY, THURSDAY, now=NOW))
    assert (len(failure.closes), failure.is_partial) == (8, True)


def test_several_in_a_row_stop(yahoo: YahooServer, source: YahooSource) -> None:
    yahoo.fault = only("chart", lambda a: Answer(200, b"{"))
    failure = failure_of(lambda: source.closes(MANY[:9], THURSDAY, THURSDAY, now=NOW))
    assert (failure.kind, failure.is_partial) == (FailureKind.MALFORMED, False)
    assert yahoo.count("chart") == 3


def test_no_answer_for_any_of_many_is_trouble(yahoo: YahooServer, source: YahooSource) -> None:
    market_of(yahoo).symbols = set()
    assert failure_of(lambda: source.quotes(MANY, now=NOW)).kind == FailureKind.EMPTY
    failure = failure_of(lambda: source.closes(MANY[:5], THURSDAY, THURSDAY, now=NOW))
    assert failure.kind == FailureKind.EMPTY
    assert source.quotes([GONE], now=NOW) == []


def test_a_cookie_that_cannot_be_had_does_not_matter(
    yahoo: YahooServer, source: YahooSource
) -> None:
    yahoo.fault = only("crumb", lambda _: Answer(429, TOO_MANY))
    yahoo.crumb_is_needed = False
    assert len(source.quotes([IBM], now=NOW)) == 1


def test_requests_keep_their_distance(yahoo: YahooServer) -> None:
    slept: list[float] = []
    client = YahooClient(per_second=4, timeout=1, sleep=slept.append, monotonic=lambda: 100.0)
    for _ in range(4):
        client.last_prices(["IBM"])
    assert slept == [0.25, 0.5, 0.75]


def test_the_pace_is_kept_by_the_clock_too(yahoo: YahooServer) -> None:
    client = YahooClient(per_second=20, timeout=1)
    begun = time.monotonic()
    for _ in range(5):
        client.last_prices(["IBM"])
    assert time.monotonic() - begun >= 0.2


def test_caches_of_processes_that_are_gone_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    (tmp_path / f"eqtrade-yfinance-{gone.pid}-a").mkdir()
    (tmp_path / f"eqtrade-yfinance-{os.getppid()}-b").mkdir()
    cache_directory()
    left = sorted(path.name.split("-")[2] for path in tmp_path.iterdir())
    assert left == sorted([str(os.getppid()), str(os.getpid())])
