"""No total mixes two currencies: each says its own, and there is but one."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from pnl.models import AccountPnl
from prices.models import CURRENCY, Instrument
from tests import factories as make
from tests.pnl.conftest import MONDAY, TUESDAY, Days, at, days
from tests.pnl.test_strategies import Book

__all__ = ["days"]

# Every list of sums over instruments that the API answers with, and a query of each.
TOTALS: dict[str, list[dict[str, Any]]] = {
    "pnl/": [
        {"by": by, "from": str(MONDAY), "to": str(TUESDAY)}
        for by in ("account", "ticker", "strategy")
    ],
    "pnl/intraday/": [{}],
    "pnl/realized/": [{"from": str(MONDAY), "to": str(TUESDAY)}],
    "positions/": [{"by": by} for by in ("ticker", "strategy")],
    "positions/settlement/": [{}],
}


def test_every_total_says_its_currency(days: Days) -> None:
    book = Book(days)
    for day in (date(2026, 3, 13), MONDAY):
        days.close(day, "50")
    book.book("10", "50", at(MONDAY))
    book.book("-4", "52", at(TUESDAY, 14))
    AccountPnl.objects.create(
        account=days.account, session=TUESDAY, at=at(TUESDAY), trade_pnl=1, position_pnl=1,
        pnl_valid=True,
    )  # fmt: skip
    for path, queries in TOTALS.items():
        for query in queries:
            rows = book.rows(path, at(TUESDAY, 15), **query)
            assert rows, (path, query)
            assert {row["currency"] for row in rows} == {CURRENCY}, (path, query)


def test_no_second_currency_comes_in(db: None) -> None:
    """Whoever lets one in finds here which totals must be told apart by it first."""
    with pytest.raises(IntegrityError, match="instrument_in_usd"), transaction.atomic():
        Instrument.objects.create(ticker="SAP", yahoo_symbol="SAP.DE", currency="EUR")
    ibm = make.make_instrument()
    with pytest.raises(IntegrityError, match="instrument_in_usd"), transaction.atomic():
        Instrument.objects.filter(pk=ibm.pk).update(currency="EUR")
