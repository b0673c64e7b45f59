"""Quotes loaded by hand: all or nothing, and before the source's."""

import io
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from kernel.clock import clock_set
from kernel.errors import Invalid
from prices.current_marks import marks
from prices.models import Instrument, Quote
from prices.quotes.write import quotes_load
from tests import factories

pytestmark = pytest.mark.django_db

HEADER = "ticker,as_of,price"


def load(*lines: str, now: datetime) -> int:
    return quotes_load(lines=io.StringIO("\n".join([HEADER, *lines])), now=now)


def test_a_quote_by_hand_marks_before_the_sources(ibm: Instrument, now: datetime) -> None:
    factories.make_quote(ibm, "150", now)
    assert load("IBM,2026-01-30T10:30:00-05:00,144.0700", now=now) == 1
    [mark] = marks(now, [ibm.pk])
    assert (str(mark.mark), mark.price_source) == ("144.0700", "manual")


def test_an_older_one_changes_nothing(ibm: Instrument, now: datetime) -> None:
    load("IBM,2026-01-30T10:30:00-05:00,144", now=now)
    assert load("IBM,2026-01-30T10:29:00-05:00,1", now=now) == 0
    assert Quote.objects.get().price == Decimal(144)


ERRORS = [
    ("NOPE,2026-01-30T10:30:00-05:00,1", "unknown_ticker"),
    ("AAPL,2026-01-30T10:30:00,1", "malformed"),
    ("AAPL,yesterday,1", "malformed"),
    ("AAPL,2026-01-30T12:30:00-05:00,1", "in_future"),
    ("AAPL,2026-01-30T10:30:00-05:00,0", "not_a_price"),
    ("AAPL,2026-01-30T10:30:00-05:00", "columns"),
    ("IBM,2026-01-30T10:31:00-05:00,1", "doubled"),
]


@pytest.mark.parametrize(("line", "code"), ERRORS)
def test_it_refuses_by_line_and_loads_nothing(
    ibm: Instrument, aapl: Instrument, now: datetime, line: str, code: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        load("IBM,2026-01-30T10:30:00-05:00,144", line, now=now)
    assert [(e.code, e.attr) for e in refusal.value.errors] == [(code, "line 3")]
    assert not Quote.objects.exists()


def test_load_quotes_loads_a_good_file_and_refuses_a_bad_one(
    ibm: Instrument, now: datetime, tmp_path: Path
) -> None:
    file, out, err = tmp_path / "quotes.csv", io.StringIO(), io.StringIO()
    file.write_text(f"{HEADER}\nIBM,{(now - timedelta(minutes=1)).isoformat()},144\n")
    with clock_set(now):
        call_command("load_quotes", str(file), stdout=out)
        assert "1 quotes loaded" in out.getvalue()
        file.write_text(f"{HEADER}\nIBM,{now.isoformat()},-1\n")
        with pytest.raises(CommandError, match="1 errors"):
            call_command("load_quotes", str(file), stderr=err)
    assert "line 2" in err.getvalue()
