"""What is held of one key, told by a reader's table and what lies beyond it, is what the ledger
adds up to, wherever the reader stands."""

import random
from decimal import Decimal

import pytest
from django.db import connection, transaction

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from kernel import prepared
from positions.models import Position
from positions.projection import POSITIONS
from prices.models import Instrument
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from trades.guards import facts
from trades.ledger import held
from trades.ledger.multi_shard_batch import round_read
from trades.models import LEDGER_SHARDS, LedgerEntry, Quarantine


@pytest.fixture
def desk(committed_db: PostgresServer) -> Desk:
    return make_desk()


def book(desk: Desk, quantity: str, account: Account | None = None, **more: Instrument) -> None:
    with transaction.atomic():
        make.make_trade(
            desk.trader, account or desk.account, more.get("instrument", desk.ibm), quantity, "2",
            trade_date=TODAY, at=NOW,
        )  # fmt: skip


def told(account: Account, instrument: Instrument) -> Decimal:
    key = held.held_of_key("k.account_id", "k.instrument_id")
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key} FROM (SELECT %(a)s::bigint, %(i)s::bigint) AS k"
            " (account_id, instrument_id)",
            {"a": account.pk, "i": instrument.pk},
        )
        found: Decimal = cursor.fetchone()[0]
    return found


def neighbour_of(account: Account) -> Account:
    """One of the same shard."""
    found = make.make_account("Neighbour")
    while found.pk % LEDGER_SHARDS != account.pk % LEDGER_SHARDS:
        found = make.make_account(f"Neighbour{found.pk}")
    return found


def test_nothing_is_held_of_a_key_without_entries(desk: Desk) -> None:
    book(desk, "7", desk.other)
    assert told(desk.account, desk.ibm) == 0
    round_read(POSITIONS, range(LEDGER_SHARDS))
    assert told(desk.account, desk.ibm) == 0


def test_entries_beyond_the_reader_count_and_those_it_has_count_once(desk: Desk) -> None:
    neighbour, msft = neighbour_of(desk.account), make.make_instrument("MSFT")
    book(desk, "10")
    book(desk, "5", neighbour)
    assert told(desk.account, desk.ibm) == 10
    round_read(POSITIONS, range(LEDGER_SHARDS))
    assert told(desk.account, desk.ibm) == 10
    book(desk, "-4")
    book(desk, "100", instrument=msft)
    book(desk, "1000", neighbour)
    assert told(desk.account, desk.ibm) == 6
    assert told(desk.account, msft) == 100
    assert told(neighbour, desk.ibm) == 1005


def test_the_ledger_itself_is_asked_where_the_reader_passes_an_account_over(desk: Desk) -> None:
    book(desk, "10")
    round_read(POSITIONS, range(LEDGER_SHARDS))
    Position.objects.update(quantity=99)
    assert told(desk.account, desk.ibm) == 99
    Quarantine.objects.create(consumer="positions", account=desk.account, entry_id=1, error="bad")
    assert told(desk.account, desk.ibm) == 10


def test_the_ledger_itself_is_asked_where_the_reader_is_far_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "MOST_BEYOND", 3)
    book(desk, "10")
    round_read(POSITIONS, range(LEDGER_SHARDS))
    neighbour = neighbour_of(desk.account)
    for number in range(6):
        book(desk, "1", (desk.account, neighbour)[number % 2])
        # No more than the first few are looked at.
        assert told(desk.account, desk.ibm) == 11 + number // 2


def test_it_is_the_sum_of_the_ledger_wherever_readers_stand(desk: Desk) -> None:
    chance = random.Random(33)
    accounts = [desk.account, desk.other, neighbour_of(desk.account)]
    names = [desk.ibm, make.make_instrument("MSFT")]
    for _ in range(60):
        quantity = str(chance.choice((-7, -1, 2, 5, 30)))
        book(desk, quantity, chance.choice(accounts), instrument=chance.choice(names))
        if chance.random() < 0.3:
            round_read(POSITIONS, chance.sample(range(LEDGER_SHARDS), 9))
        for account in accounts:
            for name in names:
                entries = LedgerEntry.objects.filter(account=account, instrument=name)
                added = sum(entries.values_list("quantity", flat=True), Decimal(0))
                assert told(account, name) == added


@pytest.mark.django_db
def test_the_same_trades_are_looked_for_among_the_last_minutes_only() -> None:
    """An index can be read from the first id that may be of them on. Which one the planner takes
    for the whole statement depends on what there is."""
    for one in (True, False):
        assert facts._SINCE in facts._sql(("again",), one=one)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        since = facts._SINCE.replace("k.minutes", "5")
        cursor.execute(f"EXPLAIN SELECT t.id FROM trades_trade t WHERE {since}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    (bound,) = [line for line in plan.splitlines() if "rpad" in line]
    assert "Index Cond: (id > " in bound, plan


@pytest.mark.django_db
def test_many_that_are_the_same_are_looked_up_in_a_table_of_what_is_asked() -> None:
    """Joined by their terms, the trades of a key would be read anew for each row of a batch: ten
    thousand rows took 4.3 s beside a hundred thousand trades, and 0.13 s so."""
    asked = [
        facts.Asked(1, 2, "buy", Decimal(n), Decimal("100.5"), TODAY, has_own_id=False)
        for n in range(1, 1001)
    ]
    columns = {**facts._TERMS, **facts._NEEDS}
    values = zip(*((*trade[:6], True, True, 5) for trade in asked), strict=True)
    arrays = dict(zip(columns, map(prepared.array, values), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN {facts._sql(('again',))}",
            {**arrays, "now": NOW, "but": [], "job": facts.NOBODY},
        )
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "quantity = (hashed SubPlan" in plan, plan
