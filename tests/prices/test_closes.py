"""Closes: fetched when missing, loaded by hand all or nothing."""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from kernel.errors import Invalid
from prices.closes.fetch import closes_fetch
from prices.closes.write import closes_load
from prices.models import Close, Instrument, SessionOverride

pytestmark = pytest.mark.django_db

LAST_FIVE = [date(2026, 1, day) for day in (23, 26, 27, 28, 29)]
HEADER = "ticker,session,close"


def load(*lines: str, now: datetime, header: str = HEADER) -> int:
    return closes_load(lines=io.StringIO("\n".join([header, *lines])), now=now)


def test_fetch_fills_the_last_five_completed_sessions_once(
    ibm: Instrument, aapl: Instrument, now: datetime
) -> None:
    assert closes_fetch(now=now) == 10
    found = Close.objects.filter(instrument=ibm, source="simulated").order_by("session")
    assert [close.session for close in found] == LAST_FIVE
    assert closes_fetch(now=now) == 0
    assert Close.objects.count() == 10


def test_fetch_takes_todays_close_when_the_session_has_ended(ibm: Instrument) -> None:
    closes_fetch(now=datetime(2026, 1, 30, 21, 0, tzinfo=UTC))
    assert Close.objects.filter(session=date(2026, 1, 30)).count() == 1


def test_fetch_fills_gaps_only(ibm: Instrument, aapl: Instrument, now: datetime) -> None:
    closes_fetch(now=now)
    before = set(Close.objects.values_list("pk", flat=True))
    Instrument.objects.create(ticker="NEW", yahoo_symbol="NEW", indices=["S&P 500"])
    assert closes_fetch(now=now) == 5
    new = Close.objects.exclude(pk__in=before)
    assert {close.instrument.ticker for close in new} == {"NEW"}


def test_fetch_asks_again_for_what_the_source_does_not_have_yet(
    ibm: Instrument, now: datetime, price_file: Callable[[str], Path]
) -> None:
    price_file(f"{HEADER}\nIBM,2026-01-28,143\nIBM,2026-01-02,100\n")
    assert closes_fetch(now=now) == 1
    price_file(f"{HEADER}\nIBM,2026-01-28,143\nIBM,2026-01-29,143.33\n")
    assert closes_fetch(now=now) == 1
    closes = Close.objects.order_by("session").values_list("session", "close", "source")
    assert list(closes) == [
        (date(2026, 1, 28), Decimal("143"), "csv"),
        (date(2026, 1, 29), Decimal("143.33"), "csv"),
    ]


def test_load_keeps_closes_as_typed(ibm: Instrument, aapl: Instrument, now: datetime) -> None:
    assert load("IBM,2026-01-29,143.330000", "AAPL,2026-01-29,195.61", now=now) == 2
    close = Close.objects.get(instrument=ibm)
    assert (str(close.close), close.source) == ("143.330000", "manual")


def test_load_again_adds_only_what_differs(ibm: Instrument, now: datetime) -> None:
    load("IBM,2026-01-28,143", "IBM,2026-01-29,143.33", now=now)
    assert load("IBM,2026-01-28,143.0", "IBM,2026-01-29,143.34", now=now) == 1
    closes = Close.objects.filter(session=date(2026, 1, 29)).order_by("id")
    assert [close.close for close in closes] == [Decimal("143.33"), Decimal("143.34")]


def test_load_back_to_an_earlier_value_is_a_change(ibm: Instrument, now: datetime) -> None:
    for close in ("143", "144", "143"):
        assert load(f"IBM,2026-01-29,{close}", now=now) == 1


def test_load_takes_any_order_of_columns_and_blank_lines(ibm: Instrument, now: datetime) -> None:
    assert load("143.33, IBM ,2026-01-29", "", now=now, header="Close,Ticker, Session") == 1


ERRORS = [
    ("NOPE,2026-01-29,1", "unknown_ticker"),
    ("ibm,2026-01-29,1", "unknown_ticker"),
    ("IBM,2026-01-31,1", "no_session"),
    ("IBM,2026-01-01,1", "no_session"),
    ("IBM,2026-02-02,1", "in_future"),
    ("IBM,2026-01-30,1", "in_future"),  # still trading
    ("IBM,29.01.2026,1", "malformed"),
    ("IBM,2026-02-30,1", "malformed"),
    ("IBM,2026-01-29,", "not_a_price"),
    ("IBM,2026-01-29,0", "not_a_price"),
    ("IBM,2026-01-29,-1", "not_a_price"),
    ("IBM,2026-01-29,1e3", "not_a_price"),
    ("IBM,2026-01-29,NaN", "not_a_price"),
    ("IBM,2026-01-29,1_000", "not_a_price"),
    ("IBM,2026-01-29,1.12345678901", "not_a_price"),
    ("IBM,2026-01-29,1000000000.01", "not_a_price"),
    ("IBM,2026-01-29", "columns"),
    ("IBM,2026-01-29,1,2", "columns"),
    ('IBM,2026-01-29,"1', "not_csv"),
    ("IBM,2026-01-28,2", "doubled"),
]


@pytest.mark.parametrize(("line", "code"), ERRORS)
def test_load_refuses_by_line_and_loads_nothing(
    ibm: Instrument, now: datetime, line: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        load("IBM,2026-01-28,143", line, now=now)
    assert [(e.code, e.attr) for e in refusal.value.errors] == [(code, "line 3")]
    assert not Close.objects.exists()


def test_load_names_every_bad_line_in_order(ibm: Instrument, now: datetime) -> None:
    with pytest.raises(Invalid) as refusal:
        load("NOPE,2026-01-29,1", "IBM,2026-01-29,0", "IBM,2026-01-31,1", now=now)
    assert [e.attr for e in refusal.value.errors] == ["line 2", "line 3", "line 4"]


@pytest.mark.parametrize("text", ["", "IBM,2026-01-29,1\n", "ticker,session,close,more\n"])
def test_load_needs_its_header(ibm: Instrument, now: datetime, text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        closes_load(lines=io.StringIO(text), now=now)
    assert [(e.code, e.attr) for e in refusal.value.errors] == [("header", "line 1")]


def test_load_follows_an_early_close(ibm: Instrument, now: datetime) -> None:
    SessionOverride.objects.create(date=date(2026, 1, 30), early_close="10:30", reason="Storm")
    assert load("IBM,2026-01-30,144", now=now) == 1


def test_the_command_loads_a_file(ibm: Instrument, tmp_path: Path) -> None:
    file = tmp_path / "closes.csv"
    file.write_text(f"\ufeff{HEADER}\r\nIBM,2026-01-29,143.33\r\n", encoding="utf-8")
    out = io.StringIO()
    call_command("load_closes", str(file), stdout=out)
    assert "1 closes loaded" in out.getvalue()


def test_the_command_names_lines_and_fails(ibm: Instrument, tmp_path: Path) -> None:
    file, err = tmp_path / "closes.csv", io.StringIO()
    file.write_text(f"{HEADER}\nIBM,2026-01-29,0\n", encoding="utf-8")
    with pytest.raises(CommandError, match="1 errors"):
        call_command("load_closes", str(file), stderr=err)
    assert "line 2" in err.getvalue()
    file.write_bytes(HEADER.encode() + b"\nIBM,2026-01-29,1\n\xff\xfe,2026-01-29,1\n")
    with pytest.raises(CommandError, match="Nothing was loaded"):
        call_command("load_closes", str(file), stderr=err)
    with pytest.raises(CommandError, match="No such file"):
        call_command("load_closes", str(tmp_path / "none.csv"))
    assert not Close.objects.exists()
