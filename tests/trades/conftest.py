"""A desk with two accounts and an outsider; the clock stands on a Wednesday at noon, New York."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from accounts.models import Account
from kernel.clock import clock_set
from prices.models import Instrument
from tests import factories as make

NOW = datetime(2026, 3, 18, 16, 0, tzinfo=UTC)
TODAY = date(2026, 3, 18)


@dataclass(frozen=True)
class Desk:
    trader: User
    viewer: User
    outsider: User
    account: Account
    other: Account
    no_short: Account
    ibm: Instrument

    def client(self, who: str = "trader") -> APIClient:
        return make.client_of(getattr(self, who))


@pytest.fixture
def noon() -> Iterator[datetime]:
    with clock_set(NOW):
        yield NOW


@pytest.fixture
def desk(db: None, noon: datetime) -> Desk:
    return make_desk()


def make_desk() -> Desk:
    trader, viewer, outsider = (make.make_user(n) for n in ("trader", "viewer", "outsider"))
    account, other = make.make_account("Test1"), make.make_account("Test2")
    no_short = make.make_account("Test4", can_short=False)
    for mine in (account, other, no_short):
        make.entitle(trader, mine, book=True)
    make.entitle(viewer, account)
    return Desk(trader, viewer, outsider, account, other, no_short, make.make_instrument("IBM"))
