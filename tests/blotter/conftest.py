"""One account with two names, traded over three sessions; the clock stands on Wednesday noon."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User
from django.db import connection

from accounts.models import Account
from kernel.clock import clock_set
from prices.models import Instrument
from tests import factories as make

NOW = datetime(2026, 3, 18, 16, 0, tzinfo=UTC)
MONDAY, TUESDAY, WEDNESDAY = date(2026, 3, 16), date(2026, 3, 17), date(2026, 3, 18)


@dataclass(frozen=True)
class Blotter:
    user: User
    account: Account
    ibm: Instrument
    xom: Instrument

    def trade(self, quantity: str, price: str, day: date, recorded: str | None = None) -> None:
        """Book one trade in IBM; `recorded` moves the database's clock for it."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('eqtrade.recorded_at', %s, false)", [recorded or ""])
        make.make_trade(self.user, self.account, self.ibm, quantity, price, trade_date=day, at=NOW)
        with connection.cursor() as cursor:
            cursor.execute("RESET eqtrade.recorded_at")


@pytest.fixture
def blotter(db: None) -> Iterator[Blotter]:
    user, account = make.make_user("trader"), make.make_account("Test1")
    make.entitle(user, account, book=True)
    with clock_set(NOW):
        yield Blotter(user, account, make.make_instrument("IBM"), make.make_instrument("XOM"))
