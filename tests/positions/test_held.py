"""Which instruments holding makes priced."""

import pytest

from positions.models import Position
from prices.selectors import priced_instruments
from tests import factories as make
from tests.trades.conftest import NOW

pytestmark = pytest.mark.django_db


def test_a_name_outside_the_index_is_priced_while_some_account_holds_it() -> None:
    accounts = [make.make_account(code) for code in ("Test1", "Test2")]
    for ticker, quantities in {"HELD": ("0", "-3"), "FLAT": ("0", "0"), "NEVER": ()}.items():
        instrument = make.make_instrument(ticker, is_active=False)
        for account, quantity in zip(accounts, quantities, strict=False):
            Position.objects.create(
                account=account,
                instrument=instrument,
                quantity=quantity,
                last_entry=1,
                updated_at=NOW,
            )
    assert [instrument.ticker for instrument in priced_instruments(NOW)] == ["HELD"]
