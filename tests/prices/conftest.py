"""Instruments and clocks that the tests of prices share."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User

from prices.models import Instrument

# A Friday, 11:00 in New York: the exchange is open; the session before is Thursday's.
FRIDAY = datetime(2026, 1, 30, 16, 0, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    return FRIDAY


@pytest.fixture
def make_instrument(db: None) -> Callable[..., Instrument]:
    def make(ticker: str, **fields: object) -> Instrument:
        values = {"yahoo_symbol": ticker, "indices": ["S&P 500"], "name": f"{ticker} Inc."}
        return Instrument.objects.create(ticker=ticker, **{**values, **fields})

    return make


@pytest.fixture
def ibm(make_instrument: Callable[..., Instrument]) -> Instrument:
    return make_instrument("IBM", name="International Business Machines")


@pytest.fixture
def aapl(make_instrument: Callable[..., Instrument]) -> Instrument:
    return make_instrument("AAPL", name="Apple")


@pytest.fixture
def staff(db: None) -> User:
    """Who may set prices by hand."""
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="override"))
    return user


@pytest.fixture
def price_file(tmp_path: Path, settings: object) -> Callable[[str], Path]:
    """Write a file of prices and make it the source."""

    def write(text: str) -> Path:
        path = tmp_path / "prices.csv"
        path.write_text(text, encoding="utf-8")
        settings.PRICE_SOURCE = "csv"  # type: ignore[attr-defined]
        settings.PRICE_FILE = str(path)  # type: ignore[attr-defined]
        return path

    return write
