"""Rounds of several consumers: one transaction, and still each consumer meets each entry once."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from psycopg import connect

from eqtrade.up.postgres import PostgresServer
from pnl.activity.projection import ACTIVITY
from pnl.cost.projection import COST
from pnl.models import Cost, DailyActivity
from pnl.strategies.projection import STRATEGY
from positions.models import Position, Settling
from positions.projection import POSITIONS, SETTLEMENT
from tests.trades.conftest import Desk
from tests.trades.test_rounds import Refusing, book, desk, shard_of, told
from trades.ledger.multi_shard_batch import Asked, Round, RoundFailed, round_read, shared_round
from trades.ledger.projection import Projection
from trades.models import LEDGER_SHARDS, Checkpoint, Quarantine

__all__ = ["desk", "told"]

ALL = range(LEDGER_SHARDS)
PNL: list[Projection] = [ACTIVITY, COST, STRATEGY]


def together(
    projections: Iterable[Projection], shards: Iterable[int] = ALL
) -> dict[str, dict[str, Any]]:
    """What a shared round of these did, by consumer: what is not empty of it."""
    wanted = set(shards)
    done = shared_round([Asked(projection, wanted) for projection in projections])
    nothing = Round()
    return {
        name: {
            field: getattr(one, field)
            for field in ("entries", "behind", "backlog")
            if getattr(one, field) != getattr(nothing, field)
        }
        for name, one in done.items()
    }


def places() -> set[tuple[str, int, int]]:
    return set(Checkpoint.objects.exclude(entry_id=0).values_list("consumer", "shard", "entry_id"))


def test_each_consumer_meets_each_entry_once(desk: Desk) -> None:
    book(desk, "10")
    book(desk, "5", desk.other)
    entries = {"entries": 2}
    assert together(PNL) == {"pnl": entries, "cost": entries, "strategy": entries}
    assert together(PNL) == {"pnl": {}, "cost": {}, "strategy": {}}
    assert sorted(Cost.objects.values_list("quantity", flat=True)) == [5, 10]
    assert sorted(DailyActivity.objects.values_list("quantity", flat=True)) == [5, 10]
    assert {name for name, _, _ in places()} == {"pnl", "cost", "strategy"}
    assert len({(shard, entry) for _, shard, entry in places()}) == 2


def test_a_consumer_that_stands_elsewhere_reads_from_there(desk: Desk) -> None:
    """One is ahead in one shard, another in the other, and a third has read nothing at all."""
    book(desk, "10")
    book(desk, "5", desk.other)
    round_read(ACTIVITY, [shard_of(desk.account)])
    round_read(COST, [shard_of(desk.other)])
    book(desk, "1")
    assert together(PNL) == {
        "pnl": {"entries": 2},
        "cost": {"entries": 2},
        "strategy": {"entries": 3},
    }
    assert sorted(Cost.objects.values_list("quantity", flat=True)) == [5, 11]
    assert sorted(DailyActivity.objects.values_list("quantity", flat=True)) == [5, 11]


def test_consumers_may_ask_for_other_shards(desk: Desk) -> None:
    book(desk, "10")
    book(desk, "5", desk.other)
    done = shared_round(
        [Asked(POSITIONS, {shard_of(desk.account)}), Asked(SETTLEMENT, {shard_of(desk.other)})]
    )
    assert (done["positions"].entries, done["settlement"].entries) == (1, 1)
    assert list(Position.objects.values_list("account", "quantity")) == [(desk.account.pk, 10)]
    assert list(Settling.objects.values_list("account", "quantity")) == [(desk.other.pk, 5)]


def test_a_shard_in_other_hands_is_left_to_them_by_one_consumer(
    desk: Desk, committed_db: PostgresServer
) -> None:
    book(desk, "10")
    round_read(COST, ALL)
    round_read(ACTIVITY, ALL)
    book(desk, "1")
    with connect(committed_db.url("runtime")) as elsewhere:
        elsewhere.execute(
            "SELECT FROM trades_checkpoint WHERE consumer = 'cost' AND shard = %s FOR UPDATE",
            [shard_of(desk.account)],
        )
        assert together([ACTIVITY, COST]) == {"pnl": {"entries": 1}, "cost": {}}
    assert together([ACTIVITY, COST]) == {"pnl": {}, "cost": {"entries": 1}}
    assert Cost.objects.get().quantity == DailyActivity.objects.get().quantity == 11


def test_quarantine_holds_for_its_consumer_alone(desk: Desk) -> None:
    Quarantine.objects.create(consumer="cost", account=desk.account, entry_id=1, error="bad")
    book(desk, "10")
    book(desk, "5", desk.other)
    assert together(PNL) == {
        "pnl": {"entries": 2},
        "cost": {"entries": 1},
        "strategy": {"entries": 2},
    }
    assert list(Cost.objects.values_list("account", "quantity")) == [(desk.other.pk, 5)]


def test_one_that_cannot_apply_takes_all_back(desk: Desk) -> None:
    book(desk)
    refusing: Projection = Refusing(ArithmeticError("no"))
    with pytest.raises(RoundFailed):
        together([SETTLEMENT, refusing])
    assert not Settling.objects.exists()
    assert not Position.objects.exists()
    assert not places()


def test_the_account_is_told_of_once_and_then_where_each_reader_is(
    desk: Desk, told: list[dict[str, Any]]
) -> None:
    trade = book(desk)
    together(PNL)
    assert [(m["type"], m.get("trades"), m.get("consumer")) for m in told] == [
        ("changed", [trade], None),
        ("moved", None, "pnl"),
        ("moved", None, "cost"),
        ("moved", None, "strategy"),
    ]


def test_consumers_share_all_statements_but_those_that_apply(desk: Desk) -> None:
    together([POSITIONS, SETTLEMENT])
    counts = []
    for projections in ([POSITIONS], [SETTLEMENT], [POSITIONS, SETTLEMENT]):
        book(desk)
        with CaptureQueriesContext(connection) as statements:
            found = together(projections)
        assert all(one["entries"] for one in found.values())
        counts.append(len(statements))
    assert counts[2] == counts[0] + 1 == counts[1] + 1
