"""verify finds what is wrong and names it; the admin lists it and has it rebuilt."""

from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify, verify_and_record
from pnl.models import DailyActivity, Holding
from positions.models import Position
from tests import factories as make
from tests.trades.conftest import NOW, TODAY
from tests.trades.test_rebuilding import read
from trades.models import VerificationBreak
from trades.services.mending import rebuild_request


@pytest.fixture
def book(committed_db: PostgresServer) -> PostgresServer:
    user, ibm = make.make_user(), make.make_instrument()
    for code in ("Test1", "Test2"):
        with transaction.atomic():
            make.make_trade(user, make.make_account(code), ibm, "5", "10", trade_date=TODAY, at=NOW)
    read()
    return committed_db


def found() -> list[str]:
    return sorted(str(b) for b in verify())


def test_nothing_is_found_where_all_is_right(book: PostgresServer) -> None:
    assert verify() == []
    out = StringIO()
    call_command("verify", stdout=out)
    assert out.getvalue() == "verified: no breaks\n"


def test_each_projection_is_compared(book: PostgresServer) -> None:
    Position.objects.filter(account__code="Test1").update(quantity=6)
    Holding.objects.filter(account__code="Test2").delete()
    DailyActivity.objects.filter(account__code="Test1").update(notional=1)
    assert found() == [
        "daily activity, notional Test1 IBM 2026-03-18: found 1, expected 50",
        "holding Test2 IBM: found 0, expected 5",
        "position Test1 IBM: found 6, expected 5",
    ]
    with pytest.raises(SystemExit) as exited:
        call_command("verify", stdout=StringIO(), stderr=StringIO())
    assert exited.value.code == 1


def test_the_ledger_itself_is_compared_with_the_trades(book: PostgresServer) -> None:
    """Somebody changed a trade around the services."""
    with connect(book.url("superuser", "eqtrade"), autocommit=True) as root:
        root.execute("UPDATE trades_trade SET quantity = 7 WHERE quantity = 5")
    whats = {b.what for b in verify()}
    assert "ledger entries of trade" in whats
    with connect(book.url("superuser", "eqtrade"), autocommit=True) as root:
        root.execute("UPDATE trades_trade SET quantity = 5, version = 2, status = 'amended'")
    assert {b.what for b in verify()} == {"versions of trade"}


def test_the_admin_lists_breaks_and_asks_for_rebuilds(
    book: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    Position.objects.filter(account__code="Test1").update(quantity=6)
    run = verify_and_record()
    assert run.breaks == 1
    root = User.objects.create_superuser("root", password="x")
    client = Client()
    client.force_login(root)
    page = client.get("/admin/trades/verificationbreak/").content.decode()
    assert "Test1 IBM" in page
    assert "Rebuild these accounts" in page
    asked: list[tuple[str, object]] = []
    monkeypatch.setattr(
        "trades.services.mending.current_app.send_task",
        lambda name, args, queue: asked.append((name, args)),
    )
    found = VerificationBreak.objects.get()
    answer = client.post(
        "/admin/trades/verificationbreak/",
        {"action": "rebuild", "_selected_action": [found.pk]},
        follow=True,
    )
    assert "Test1 by positions" in answer.content.decode()
    assert asked == [("positions.tasks.rebuild", [["Test1"]])]


def test_no_rebuild_is_asked_for_what_none_mends(book: PostgresServer) -> None:
    with connect(book.url("superuser", "eqtrade"), autocommit=True) as root:
        root.execute("UPDATE trades_trade SET version = 2, status = 'amended'")
    verify_and_record()
    assert rebuild_request(VerificationBreak.objects.select_related("account")) == []
