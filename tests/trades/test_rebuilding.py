"""Rebuild equals incremental, mends what is wrong, and touches nothing else."""

from collections.abc import Iterator
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from psycopg import connect

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify
from pnl.activity.projection import ACTIVITY
from pnl.cost.projection import COST
from pnl.models import Cost, DailyActivity, Holding, StrategyActivity, StrategyHolding
from pnl.strategies.projection import STRATEGY
from positions.models import Position, Settling
from positions.projection import POSITIONS, SETTLEMENT
from positions.tasks import rebuild_projection as positions_rebuild
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.ledger.rebuild import NotMended
from trades.ledger.shard_batch import drain
from trades.models import LEDGER_SHARDS, Checkpoint, Quarantine


@pytest.fixture
def desk(committed_db: PostgresServer) -> Desk:
    desk = make_desk()
    for account in (desk.account, desk.other, desk.no_short):
        for quantity in ("10", "-4", "5"):
            with transaction.atomic():
                make.make_trade(
                    desk.trader, account, desk.ibm, quantity, "2", trade_date=TODAY, at=NOW
                )
    read()
    return desk


def read() -> None:
    for shard in range(16):
        for projection in (POSITIONS, SETTLEMENT, ACTIVITY, COST, STRATEGY):
            drain(projection, shard, patience=0)


def everything() -> list[object]:
    tables = (
        Position, Settling, Holding, DailyActivity, Cost, StrategyHolding, StrategyActivity,
    )  # fmt: skip
    return [list(t.objects.order_by("account", "instrument").values()) for t in tables]


def run(command: str, *args: str) -> str:
    out = StringIO()
    call_command(command, *args, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    "command",
    ["rebuild_positions", "rebuild_settlement", "rebuild_pnl", "rebuild_cost", "rebuild_strategy"],
)
def test_it_equals_what_was_applied_entry_by_entry(desk: Desk, command: str) -> None:
    before = everything()
    assert "0 mended" in run(command)
    assert everything() == before


def test_wrong_missing_and_groundless_rows_are_mended(desk: Desk) -> None:
    right = everything()
    Position.objects.filter(account=desk.account).update(quantity=99)
    Position.objects.filter(account=desk.other).delete()
    stranger = make.make_instrument("XOM")
    Position.objects.create(
        account=desk.no_short, instrument=stranger, quantity=1, last_entry=1, updated_at=NOW
    )
    assert len(verify()) == 3
    assert "3 mended" in run("rebuild_positions")
    assert verify() == []
    stamps = [{**row, "id": 0, "updated_at": 0} for row in everything()[0]]  # type: ignore[attr-defined]
    assert stamps == [{**row, "id": 0, "updated_at": 0} for row in right[0]]  # type: ignore[attr-defined]


def test_activity_is_mended_with_its_holding(desk: Desk) -> None:
    DailyActivity.objects.update(notional=Decimal(1))
    Holding.objects.update(quantity=0)
    assert "6 mended" in run("rebuild_pnl")
    assert verify() == []


def test_a_dry_run_counts_and_writes_nothing(desk: Desk) -> None:
    Position.objects.update(quantity=99)
    assert "3 would be mended" in run("rebuild_positions", "--dry-run")
    assert set(Position.objects.values_list("quantity", flat=True)) == {Decimal(99)}


def test_only_the_accounts_that_were_named(desk: Desk) -> None:
    Position.objects.update(quantity=99)
    assert "1 mended" in run("rebuild_positions", "--account", "Test1")
    wrong = Position.objects.filter(quantity=99).values_list("account__code", flat=True)
    assert set(wrong) == {"Test2", "Test4"}
    with pytest.raises(CommandError, match="no such account"):
        run("rebuild_positions", "--account", "Nope")


def test_what_lies_beyond_the_checkpoint_stays_there(desk: Desk) -> None:
    places = list(Checkpoint.objects.order_by("pk").values())
    with transaction.atomic():
        make.make_trade(desk.trader, desk.account, desk.ibm, "1000", "2", trade_date=TODAY, at=NOW)
    assert "0 mended" in run("rebuild_positions")
    assert list(Checkpoint.objects.order_by("pk").values()) == places
    assert Position.objects.get(account=desk.account).quantity == 11
    assert verify() == []
    read()
    assert Position.objects.get(account=desk.account).quantity == 1011


def test_finding_nothing_wrong_waits_for_no_reader(
    desk: Desk, committed_db: PostgresServer
) -> None:
    with connect(committed_db.url("owner")) as reader:
        reader.execute("SELECT FROM trades_checkpoint FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '1s'")
        assert "0 mended" in run("rebuild_positions")
        Position.objects.filter(account=desk.account).update(quantity=99)
        with pytest.raises(OperationalError, match="lock timeout"):
            run("rebuild_positions")
    with connection.cursor() as cursor:
        cursor.execute("RESET lock_timeout")
    assert "1 mended" in run("rebuild_positions")


def test_a_quarantine_without_a_difference_ends_too(desk: Desk) -> None:
    Quarantine.objects.create(consumer="positions", account=desk.other, entry_id=1, error="gone")
    assert "0 would be mended" in run("rebuild_positions", "--dry-run")
    assert Quarantine.objects.exists()
    assert "0 mended" in run("rebuild_positions")
    assert not Quarantine.objects.exists()


@pytest.fixture
def no_thousands(committed_db: PostgresServer) -> Iterator[None]:
    with connect(committed_db.url("owner"), autocommit=True) as owner:
        owner.execute("ALTER TABLE positions_position ADD CONSTRAINT t CHECK (quantity < 1000)")
        yield
        owner.execute("ALTER TABLE positions_position DROP CONSTRAINT IF EXISTS t")


def test_a_rebuild_ends_a_quarantine_when_its_cause_is_gone(
    desk: Desk, no_thousands: None, committed_db: PostgresServer
) -> None:
    with transaction.atomic():
        make.make_trade(desk.trader, desk.account, desk.ibm, "1000", "2", trade_date=TODAY, at=NOW)
    read()
    assert Quarantine.objects.count() == 1
    assert [b.what for b in verify()] == ["position"]
    with pytest.raises(CommandError, match=r"Test1: .* violates check"):
        run("rebuild_positions", "--account", "Test1")
    assert Quarantine.objects.count() == 1
    connection.close()
    with connect(committed_db.url("owner"), autocommit=True) as owner:
        owner.execute("ALTER TABLE positions_position DROP CONSTRAINT t")
    run("rebuild_positions", "--account", "Test1")
    assert not Quarantine.objects.exists()
    assert verify() == []


def test_an_account_that_cannot_be_rebuilt_holds_up_no_other(
    desk: Desk, no_thousands: None
) -> None:
    """One beside it in its shard, and those of later shards."""
    beside = neighbour_of(desk.account)
    for account, quantity in ((beside, "7"), (desk.account, "1000")):
        with transaction.atomic():
            make.make_trade(desk.trader, account, desk.ibm, quantity, "2", trade_date=TODAY, at=NOW)
        read()
    assert [q.account for q in Quarantine.objects.all()] == [desk.account]
    Position.objects.exclude(account=desk.account).update(quantity=99)
    with pytest.raises(CommandError, match=r"as they were: Test1: .* violates check"):
        run("rebuild_positions")
    assert Quarantine.objects.count() == 1
    # A task that did not do its work has failed, too.
    with pytest.raises(NotMended, match=r"Test1: .* violates check"):
        positions_rebuild()
    held = dict(Position.objects.values_list("account__code", "quantity"))
    assert held == {"Test1": 11, "Test2": 11, "Test4": 11, beside.code: 7}


def neighbour_of(account: Account) -> Account:
    """A new account of the same shard."""
    for number in range(LEDGER_SHARDS):
        found = make.make_account(f"Other{number}")
        if found.pk % LEDGER_SHARDS == account.pk % LEDGER_SHARDS:
            return found
    raise AssertionError("ids of accounts have gaps")
