"""Plain bookings that come while one is written are written in one statement: each as if alone."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from accounts.models import Account
from kernel.errors import ConfirmationRequired, Invalid
from kernel.together import Together
from prices.models import Instrument
from tests import factories as make
from tests.at_once import at_once
from tests.trades.conftest import NOW, Desk, make_desk
from tests.trades.guarding import guard, marked
from trades.guards.facts import _facts_together
from trades.models import LedgerEntry, Trade, TradeVersion
from trades.services.booking import Booked, trade_book
from trades.services.known import ask
from trades.services.recording import _write_together
from trades.terms import Booking

SECONDS = 20


@pytest.fixture
def desk(committed_db: None, noon: datetime) -> Desk:
    return make_desk()


def book(desk: Desk, price: int | Decimal, account: str = "Test1", **changes: object) -> Booked:
    terms = {
        "account": account, "ticker": "IBM", "side": "buy", "quantity": Decimal(10),
        "price": Decimal(price), **changes,
    }  # fmt: skip
    booking = Booking(**terms, sent=frozenset(terms))  # type: ignore[arg-type]
    asked = ask(booking, user=desk.trader.pk, now=NOW)
    return trade_book(user=desk.trader, booking=booking, now=NOW, asked=asked)


@contextmanager
def another_connection() -> Iterator[psycopg.Connection]:
    given = connection.get_connection_params()
    names = ("host", "port", "dbname", "user", "password")
    with psycopg.connect(**{k: given[k] for k in names if given.get(k)}) as opened:
        yield opened


def waiting() -> int:
    """Backends that wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def behind_one(
    desk: Desk,
    *works: partial[Booked],
    meanwhile: object = None,
    held: str = "TABLE trades_trade IN SHARE MODE",
    queue: Together[Any, Any] = _write_together,
) -> list[object]:
    """The results of these, which all come while another booking, at 1, is written; or at another
    step, which waits for what is `held`, and which the others come to by this `queue`."""
    with another_connection() as blocker:
        blocker.execute(f"LOCK {held}")

        def let_go() -> None:
            _until(lambda: waiting() == 1 and len(queue._waiting) == len(works))
            if callable(meanwhile):
                meanwhile()
            blocker.rollback()

        first = partial(book, desk, 1)

        def later(work: partial[Booked]) -> Booked:
            _until(lambda: waiting() >= 1)
            return work()

        found = at_once(first, *[partial(later, work) for work in works], let_go)
    assert queue is not _write_together or isinstance(found[0], Booked), found[0]
    return found[1:-1]


def _until(is_so: object) -> None:
    end = time.monotonic() + SECONDS
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.01)


def statements() -> dict[int, int]:
    """How many trades each transaction wrote."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT txid::text, count(*) FROM trades_ledgerentry GROUP BY 1")
        return dict(cursor.fetchall())


def test_those_that_come_meanwhile_are_one_statement(desk: Desk) -> None:
    works = [partial(book, desk, price, "Test1" if price % 2 else "Test2") for price in range(2, 8)]
    found = behind_one(desk, *works)
    assert all(isinstance(each, Booked) and each.is_new for each in found), found
    assert sorted(statements().values()) == [1, 6]
    # Each has booked its own, and was told of its own.
    for price, each in zip(range(2, 8), found, strict=True):
        assert isinstance(each, Booked)
        assert each.row is not None
        trade = Trade.objects.get(pk=each.trade_id)
        assert (trade.price, each.row.price) == (price, price)
        assert trade.account.code == each.row.account == ("Test1" if price % 2 else "Test2")
        entry = LedgerEntry.objects.get(trade=trade)
        assert (entry.account_id, entry.quantity) == (trade.account_id, 10)
        assert TradeVersion.objects.get(trade=trade).recorded_at == entry.recorded_at


def test_each_is_booked_by_whoever_booked_it(desk: Desk) -> None:
    boss = make.make_user("boss", is_superuser=True)
    other = Desk(**{**vars(desk), "trader": boss})
    found = behind_one(desk, partial(book, desk, 2), partial(book, other, 3))
    by = dict(Trade.objects.values_list("price", "booked_by__username"))
    assert {int(price): user for price, user in by.items()} == {1: "trader", 2: "trader", 3: "boss"}
    assert [each.row.booked_by for each in found if isinstance(each, Booked) and each.row] == [
        "trader",
        "boss",
    ]


def test_one_that_is_plain_no_more_keeps_no_other_back(desk: Desk) -> None:
    """Its account was deactivated between what asked and what writes."""
    found = behind_one(
        desk,
        partial(book, desk, 2, "Test2"),
        partial(book, desk, 3),
        meanwhile=lambda: Account.objects.filter(code="Test2").update(is_active=False),
    )
    refused, booked = found
    assert isinstance(refused, Invalid), refused
    assert [error.code for error in refused.errors] == ["inactive_account"]
    assert isinstance(booked, Booked)
    assert sorted(Trade.objects.values_list("price", flat=True)) == [1, 3]


def test_one_that_the_database_refuses_keeps_no_other_back(desk: Desk) -> None:
    """An instrument that is gone by then: the statement for all fails, and each books alone."""
    gone = Instrument.objects.create(ticker="GONE", name="Gone")

    def remove() -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM prices_instrument WHERE id = %s", [gone.pk])

    found = behind_one(
        desk, partial(book, desk, 2, ticker="GONE"), partial(book, desk, 3), meanwhile=remove
    )
    assert isinstance(found[0], Exception)
    assert isinstance(found[1], Booked)
    assert sorted(Trade.objects.values_list("price", flat=True)) == [1, 3]


def test_a_connection_lost_on_the_way_costs_none_of_them_anything(desk: Desk) -> None:
    """Whoever wrote for all loses the connection: all are booked, once each."""

    def end_all() -> None:
        with another_connection() as killer:
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )

    works = [partial(book, desk, price) for price in range(2, 7)]
    found = behind_one(desk, *works, meanwhile=end_all)
    assert all(isinstance(each, Booked) and each.is_new for each in found), found
    assert sorted(Trade.objects.values_list("price", flat=True)) == [1, 2, 3, 4, 5, 6]
    assert LedgerEntry.objects.count() == TradeVersion.objects.count() == 6


def test_an_id_of_the_callers_own_is_claimed_alone(desk: Desk) -> None:
    """Whoever waits for another's claim keeps nobody else waiting."""
    claimed = Account.objects.get(code="Test1").pk
    with another_connection() as other:
        taken = book(desk, 8)
        other.execute(
            "INSERT INTO trades_clienttradeid (account_id, client_trade_id, trade_id, terms_hash)"
            " VALUES (%s, 'x', %s, 'y')",
            [claimed, taken.trade_id],
        )

        def others() -> list[Booked]:
            _until(lambda: waiting() == 1)
            booked = [book(desk, price) for price in (2, 3)]
            other.rollback()
            return booked

        found = at_once(partial(book, desk, 9, client_trade_id="x"), others)
    assert isinstance(found[0], Booked), found[0]
    assert isinstance(found[1], list), found[1]
    assert sorted(Trade.objects.values_list("price", flat=True)) == [2, 3, 8, 9]


# --- what guards ask of bookings that come at once ------------------------------------------------


def outcome(found: object) -> str:
    """The codes of what was asked or refused, or that it was booked."""
    errors = getattr(found, "errors", ())
    return " ".join([type(found).__name__, *sorted(error.code for error in errors)])


@pytest.fixture
def guarded(desk: Desk) -> Desk:
    """10 IBM are held, at a mark of 192.81, and this process knows the guards."""
    marked(desk)
    guard("off_mark", warn="3", refuse="50")
    guard("of_position", warn="5")
    guard("probable_duplicate", warn="0", minutes=5)
    book(desk, 193)
    return desk


GUARDED: list[dict[str, Any]] = [
    {"price": Decimal("192.81")},
    {"price": Decimal("198.60")},
    {"price": Decimal("1928.10")},
    {"price": Decimal("198.59"), "quantity": Decimal(50)},
    {"price": Decimal(192), "quantity": Decimal(1000)},
    {"price": Decimal(193)},
    {"price": Decimal(500), "account": "Test2"},
]
AS_ALONE = [
    "Booked",
    "ConfirmationRequired off_mark",
    "Invalid off_mark",
    "Booked",
    "ConfirmationRequired of_position",
    "ConfirmationRequired probable_duplicate",
    "Booked",
]


def test_guards_say_of_each_what_they_say_of_one(guarded: Desk) -> None:
    """One statement tells the facts of all; each is judged by their own."""
    works = [partial(book, guarded, **each) for each in GUARDED if "account" not in each]
    found = behind_one(
        guarded,
        *works,
        held="TABLE prices_quote IN ACCESS EXCLUSIVE MODE",
        queue=_facts_together,
    )
    alone = [said for said, each in zip(AS_ALONE, GUARDED, strict=True) if "account" not in each]
    assert list(map(outcome, found)) == alone
    # What asked and what was refused has booked nothing; nor has the first, which is at 1.
    assert sorted(Trade.objects.values_list("price", flat=True)) == [
        Decimal("192.81"), Decimal(193), Decimal("198.59"),
    ]  # fmt: skip


def test_guards_say_the_same_of_one_after_the_other(guarded: Desk) -> None:
    """The figures above are those of one."""
    said = []
    for each in GUARDED:
        with transaction.atomic():
            said.append(outcome(_caught(partial(book, guarded, **each))))
            transaction.set_rollback(True)
    assert said == AS_ALONE


def _caught(work: partial[Booked]) -> object:
    try:
        return work()
    except (Invalid, ConfirmationRequired) as error:
        return error
