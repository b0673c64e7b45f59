"""Rounds: a few entries of several shards in one transaction; nothing skipped, nothing twice."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from psycopg import Connection, connect

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from kernel import notices
from pnl.cost.projection import COST
from pnl.models import Cost
from positions.models import Position
from positions.projection import POSITIONS
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.ledger import multi_shard_batch as rounds
from trades.ledger.multi_shard_batch import Round, RoundFailed, round_read
from trades.ledger.projection import Batch, Projection
from trades.ledger.shard_batch import AnotherCluster
from trades.models import LEDGER_SHARDS, Checkpoint, LedgerEpoch, Quarantine

ALL = range(LEDGER_SHARDS)


@pytest.fixture
def desk(committed_db: PostgresServer) -> Desk:
    return make_desk()


@pytest.fixture
def elsewhere(committed_db: PostgresServer) -> Iterator[Connection]:
    """A session of another process, in a transaction."""
    with connect(committed_db.url("runtime")) as session:
        yield session


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was published."""
    found: list[dict[str, Any]] = []
    monkeypatch.setattr(
        notices, "publish", lambda news: found.extend(message for _, message in news)
    )
    return found


def book(desk: Desk, quantity: str = "10", account: Account | None = None) -> str:
    with transaction.atomic():
        trade = make.make_trade(
            desk.trader, account or desk.account, desk.ibm, quantity, "2",
            trade_date=TODAY, at=NOW,
        )  # fmt: skip
    return str(trade.pk)


def shard_of(account: Account) -> int:
    return account.pk % LEDGER_SHARDS


def held(account: Account) -> Decimal:
    found = Position.objects.filter(account=account).first()
    return found.quantity if found else Decimal(0)


def test_entries_of_several_shards_are_applied_once(desk: Desk) -> None:
    assert shard_of(desk.account) != shard_of(desk.other)
    book(desk, "10")
    book(desk, "-3")
    book(desk, "5", desk.other)
    assert round_read(POSITIONS, ALL) == Round(entries=3)
    assert (held(desk.account), held(desk.other)) == (7, 5)
    assert round_read(POSITIONS, ALL) == Round()
    assert (held(desk.account), held(desk.other)) == (7, 5)


def test_only_the_shards_that_were_named_are_read(desk: Desk) -> None:
    book(desk, "10")
    book(desk, "5", desk.other)
    assert round_read(POSITIONS, [shard_of(desk.other)]) == Round(entries=1)
    assert (held(desk.account), held(desk.other)) == (0, 5)


def test_a_round_is_as_many_statements_for_many_shards_as_for_one(desk: Desk) -> None:
    round_read(POSITIONS, ALL)
    counts = []
    for accounts in ([desk.account], [desk.account, desk.other, desk.no_short]):
        for account in accounts:
            book(desk, "1", account)
        with CaptureQueriesContext(connection) as statements:
            assert round_read(POSITIONS, ALL).entries == len(accounts)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_an_entry_above_the_horizon_is_not_read_and_not_lost(
    desk: Desk, elsewhere: Connection
) -> None:
    """An older transaction is open elsewhere: it may yet commit an entry that sorts before ours."""
    elsewhere.execute("SELECT pg_current_xact_id()")
    book(desk)
    assert round_read(POSITIONS, ALL) == Round(behind={shard_of(desk.account)})
    assert held(desk.account) == 0
    elsewhere.rollback()
    assert round_read(POSITIONS, ALL) == Round(entries=1)
    assert held(desk.account) == 10


def test_what_commits_late_is_counted_with_what_waited_for_it(
    desk: Desk, elsewhere: Connection
) -> None:
    book(desk, "1")
    elsewhere.execute(
        "INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity, notional,"
        " trades, trade_id, version) SELECT account_id, instrument_id, trade_date, 100, 200, 1,"
        " trade_id, version FROM trades_ledgerentry LIMIT 1"
    )
    book(desk, "10")
    assert round_read(POSITIONS, ALL) == Round(entries=1, behind={shard_of(desk.account)})
    elsewhere.commit()
    assert round_read(POSITIONS, ALL) == Round(entries=2)
    assert held(desk.account) == 111


def test_a_shard_in_other_hands_is_left_alone_and_the_others_are_read(
    desk: Desk, elsewhere: Connection
) -> None:
    round_read(POSITIONS, ALL)
    book(desk, "10")
    book(desk, "5", desk.other)
    elsewhere.execute(
        "SELECT FROM trades_checkpoint WHERE shard = %s FOR UPDATE", [shard_of(desk.account)]
    )
    assert round_read(POSITIONS, ALL) == Round(entries=1)
    assert (held(desk.account), held(desk.other)) == (0, 5)
    elsewhere.rollback()
    assert round_read(POSITIONS, ALL) == Round(entries=1)


def test_who_held_a_shard_sees_what_was_booked_meanwhile(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is nudged for it finds the shard held, and goes away."""
    move = rounds._move_checkpoints

    def move_and_book(*args: Any) -> None:
        move(*args)
        with connect(**connection.get_connection_params(), autocommit=True) as other:
            other.execute(
                "INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity,"
                " notional, trades, trade_id, version) SELECT account_id, instrument_id,"
                " trade_date, 1, 2, 1, trade_id, version FROM trades_ledgerentry LIMIT 1"
            )

    book(desk, "10")
    with monkeypatch.context() as patched:
        patched.setattr(rounds, "_move_checkpoints", move_and_book)
        assert round_read(POSITIONS, ALL) == Round(entries=1, behind={shard_of(desk.account)})
    assert round_read(POSITIONS, ALL) == Round(entries=1)
    assert held(desk.account) == 11


def test_missing_checkpoints_are_made(desk: Desk) -> None:
    assert round_read(POSITIONS, [3, 4]) == Round()
    made = Checkpoint.objects.order_by("shard").values_list("shard", "epoch", "txid", "entry_id")
    assert list(made) == [(3, 0, "0", 0), (4, 0, "0", 0)]


def test_effect_and_checkpoints_commit_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    book(desk)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(rounds, "_move_checkpoints", die)
        with pytest.raises(KeyboardInterrupt):
            round_read(POSITIONS, ALL)
    assert held(desk.account) == 0
    round_read(POSITIONS, ALL)
    assert held(desk.account) == 10


def test_in_another_cluster_nothing_is_read(desk: Desk) -> None:
    book(desk)
    here = LedgerEpoch.objects.get()
    LedgerEpoch.objects.filter(pk=here.pk).update(system_identifier=here.system_identifier + 1)
    try:
        with pytest.raises(AnotherCluster, match="restored"):
            round_read(POSITIONS, ALL)
    finally:
        LedgerEpoch.objects.filter(pk=here.pk).update(system_identifier=here.system_identifier)
    assert round_read(POSITIONS, ALL) == Round(entries=1)


def test_accounts_in_quarantine_are_passed_over(desk: Desk) -> None:
    Quarantine.objects.create(consumer="positions", account=desk.account, entry_id=1, error="bad")
    Quarantine.objects.create(consumer="cost", account=desk.other, entry_id=1, error="bad")
    book(desk, "10")
    book(desk, "5", desk.other)
    assert round_read(POSITIONS, ALL) == Round(entries=1)
    assert (held(desk.account), held(desk.other)) == (0, 5)


def test_a_backlog_is_left_to_a_reader_of_one_shard(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rounds, "MOST_ENTRIES", 2)
    for _ in range(3):
        book(desk, "1")
    for _ in range(2):
        book(desk, "1", desk.other)
    assert round_read(POSITIONS, ALL) == Round(entries=2, backlog={shard_of(desk.account)})
    assert (held(desk.account), held(desk.other)) == (0, 2)


class Refusing:
    """Cannot apply anything."""

    name = "positions"

    def __init__(self, error: Exception) -> None:
        self._error = error

    def apply(self, cursor: Any, batch: Batch) -> int:
        POSITIONS.apply(cursor, batch)
        raise self._error


def test_a_round_that_fails_leaves_nothing(desk: Desk) -> None:
    book(desk)
    refusing: Projection = Refusing(ArithmeticError("no"))
    with pytest.raises(RoundFailed):
        round_read(refusing, ALL)
    assert held(desk.account) == 0
    assert not Checkpoint.objects.exclude(entry_id=0).exists()


def test_a_replay_looks_at_nothing_beyond_the_round(desk: Desk, elsewhere: Connection) -> None:
    """A late trade of one key has it replayed: up to what the round has taken of its own shard,
    though another shard's round goes further."""
    book(desk, "10")
    book(desk, "5", desk.other)
    round_read(COST, ALL)
    # Executed at the same moment as all others: not later, so each of them is a replay.
    book(desk, "1")
    elsewhere.execute("SELECT pg_current_xact_id()")
    book(desk, "100")
    assert round_read(COST, ALL) == Round(entries=1, behind={shard_of(desk.account)})
    assert Cost.objects.get(account=desk.account).quantity == 11
    elsewhere.rollback()
    book(desk, "7", desk.other)
    assert round_read(COST, ALL) == Round(entries=2)
    quantities = dict(Cost.objects.values_list("account", "quantity"))
    assert quantities == {desk.account.pk: 111, desk.other.pk: 12}


def test_notices_name_what_changed_and_then_where_the_readers_are(
    desk: Desk, told: list[dict[str, Any]]
) -> None:
    first, second = [book(desk, "10"), book(desk, "-3")], [book(desk, "5", desk.other)]
    before = {shard_of(a): ["0", "0", "0"] for a in (desk.account, desk.other)}
    round_read(POSITIONS, ALL)
    changed = {m["account"]: m for m in told if m["type"] == "changed"}
    assert {a: (m["instruments"], sorted(m["trades"])) for a, m in changed.items()} == {
        desk.account.pk: ([desk.ibm.pk], first),
        desk.other.pk: ([desk.ibm.pk], second),
    }
    moved = {m["shard"]: m for m in told if m["type"] == "moved"}
    assert {shard: m["after"] for shard, m in moved.items()} == before
    places = Checkpoint.objects.filter(shard__in=before).values_list(
        "shard", "epoch", "txid", "entry_id"
    )
    assert {shard: m["upto"] for shard, m in moved.items()} == {
        shard: [str(part) for part in place] for shard, *place in places
    }
    assert [m["type"] for m in told] == ["changed", "changed", "moved", "moved"]
