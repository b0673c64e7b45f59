"""manage.py restate_pnl: end-of-day P&L anew, whatever became of it."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from eqtrade.verify import verify
from kernel.clock import clock_set
from pnl.models import DailyPnl
from tests import factories as make
from tests.pnl.conftest import FRIDAY, MONDAY, TUESDAY, Days, at, settle


@pytest.fixture
def kept(days: Days) -> Days:
    for code in ("Test1", "Test2"):
        account = days.account if code == "Test1" else make.make_account(code)
        days.trade("10", "40", MONDAY, account=account)
    days.close(MONDAY, "41")
    days.close(TUESDAY, "43")
    settle(MONDAY, TUESDAY)
    days.keep(at(TUESDAY, 22))
    assert verify() == []
    DailyPnl.objects.update(position_pnl=1, closing_quantity=3)
    return days


def run(*arguments: str) -> str:
    out = StringIO()
    with clock_set(at(FRIDAY)):
        call_command("restate_pnl", *arguments, stdout=out)
    return out.getvalue()


def test_restate_mends_everything_that_verify_finds(kept: Days) -> None:
    found = verify()
    assert {b.what for b in found} == {
        "end-of-day P&L, closing quantity",
        "end-of-day P&L, position P&L",
    }
    assert len(found) == 8
    assert "0 requests left" in run()
    assert verify() == []
    assert set(DailyPnl.objects.values_list("position_pnl", flat=True)) == {0, 20}


def test_only_the_accounts_that_were_named(kept: Days) -> None:
    run("--account", "Test1")
    assert set(DailyPnl.objects.filter(position_pnl=1).values_list("account__code", flat=True)) == {
        "Test2"
    }
    with pytest.raises(CommandError, match="no account Nope"):
        run("--account", "Nope")


def test_nothing_is_kept_yet(days: Days) -> None:
    assert "No session has end-of-day P&L yet." in run()
