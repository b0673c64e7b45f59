"""Today's P&L by query: the SQL against the pure arithmetic, validity, and the marks it used."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Account
from eqtrade.up.postgres import PostgresServer
from eqtrade.verify import verify
from kernel.pnl import session_pnl
from pnl.activity.projection import ACTIVITY
from pnl.corrections import live_corrections
from pnl.figures import KeyPnl
from pnl.live.rows import live_rows
from pnl.live.totals import live_totals
from positions.projection import POSITIONS
from prices.models import CARRIED, MANUAL, Instrument, PriceOverride
from tests import factories as make
from trades.ledger.shard_batch import drain

D = Decimal
NOW = datetime(2026, 3, 18, 16, 0, tzinfo=UTC)  # a Wednesday, 12:00 in New York: open
CLOSED = datetime(2026, 3, 18, 22, 0, tzinfo=UTC)  # the same day, 18:00
TODAY, YESTERDAY, BEFORE = date(2026, 3, 18), date(2026, 3, 17), date(2026, 3, 16)


class Book:
    """One account, traded and read for real."""

    def __init__(self, name: str = "A") -> None:
        self.user: User = make.make_user(name)
        self.account: Account = make.make_account(name)
        self.ibm: Instrument = make.make_instrument(name)

    def trade(self, quantity: str, price: str, day: date = TODAY) -> None:
        with transaction.atomic():
            make.make_trade(
                self.user, self.account, self.ibm, quantity, price, trade_date=day, at=NOW
            )
        self.read()

    def read(self) -> None:
        for projection in (POSITIONS, ACTIVITY):
            drain(projection, self.account.pk % 16)

    def row(self, now: datetime = NOW, **how: Any) -> KeyPnl | None:
        rows = live_rows(accounts=[self.account.pk], now=now, **how)
        assert len(rows) <= 1
        return rows[0] if rows else None

    def figures(self, now: datetime = NOW) -> tuple[object, ...]:
        row = self.row(now)
        assert row is not None
        return row.trade_pnl, row.position_pnl, row.mark_source, row.pnl_reason


@pytest.fixture
def book(committed_db: PostgresServer) -> Book:
    return Book()


def test_live_rows_give_the_figures_of_the_second_example(book: Book) -> None:
    book.trade("100", "48", YESTERDAY)
    book.trade("-150", "52")
    make.make_close(book.ibm, YESTERDAY, "50")
    make.make_quote(book.ibm, "51", NOW)
    assert book.figures() == (D(300), D(-50), "quote", None)
    (total,) = live_totals(accounts=[book.account.pk], now=NOW)
    assert total.total_pnl == D(250)


# --- the mark ------------------------------------------------------------------------------------


def test_an_override_beats_all_until_it_expires(book: Book) -> None:
    book.trade("1", "1", YESTERDAY)
    make.make_close(book.ibm, YESTERDAY, "50")
    make.make_quote(book.ibm, "51", NOW)
    PriceOverride.objects.create(
        instrument=book.ibm, price=D(60), reason="halt", user=book.user,
        expires_at=NOW + timedelta(minutes=1),
    )  # fmt: skip
    assert book.figures() == (0, D(10), "override", None)
    assert book.figures(NOW + timedelta(minutes=2)) == (0, D(1), "quote", None)


def test_after_the_end_the_newer_of_close_and_quote_marks(book: Book) -> None:
    book.trade("1", "1", YESTERDAY)
    make.make_close(book.ibm, YESTERDAY, "50")
    make.make_close(book.ibm, TODAY, "55")
    make.make_quote(book.ibm, "51", NOW)
    assert book.figures(NOW)[2] == "quote"  # before the end a close of today does not mark
    assert book.figures(CLOSED) == (0, D(5), "close", None)
    book.ibm.quotes.update(as_of=CLOSED, price=D(57))
    assert book.figures(CLOSED) == (0, D(7), "quote", None)  # simulated: any hour


def test_a_real_sources_quote_from_outside_the_session_never_marks(
    book: Book, settings: object
) -> None:
    settings.PRICE_SOURCE = "yahoo"  # type: ignore[attr-defined]
    book.trade("1", "1", YESTERDAY)
    make.make_close(book.ibm, YESTERDAY, "50", source="yahoo")
    make.make_quote(book.ibm, "51", NOW - timedelta(hours=4), source="yahoo")  # 08:00 New York
    assert book.figures()[2] == "previous_close"
    book.ibm.quotes.update(as_of=NOW)
    assert book.figures() == (0, D(1), "quote", None)


def test_sources_do_not_mix_and_what_was_loaded_by_hand_counts(book: Book) -> None:
    book.trade("1", "1", YESTERDAY)
    make.make_close(book.ibm, YESTERDAY, "10", source="yahoo")
    make.make_quote(book.ibm, "11", NOW, source="yahoo")
    assert book.figures() == (0, None, None, "no_previous_close")
    make.make_close(book.ibm, YESTERDAY, "50", source="simulated")
    assert book.figures()[2] == "previous_close"
    make.make_close(book.ibm, YESTERDAY, "40", source=MANUAL)
    row = book.row()
    assert row is not None
    assert (row.previous_close, row.price_source) == (D(40), MANUAL)


def test_the_close_recorded_last_counts(book: Book) -> None:
    book.trade("1", "1", YESTERDAY)
    for close in ("50", "51", "49"):
        make.make_close(book.ibm, YESTERDAY, close)
    row = book.row()
    assert row is not None
    assert row.previous_close == D(49)


# --- validity ------------------------------------------------------------------------------------


def test_stale_only_while_open_and_only_where_the_mark_matters(book: Book) -> None:
    book.trade("1", "1", YESTERDAY)
    make.make_close(book.ibm, YESTERDAY, "50")
    make.make_quote(book.ibm, "51", NOW - timedelta(minutes=10))
    assert book.figures() == (0, D(1), "quote", "stale")
    assert book.figures(CLOSED) == (0, D(1), "quote", None)
    book.trade("-1", "52")
    assert book.figures() == (D(2), D(0), "quote", None)  # flat: nothing is marked


def test_a_carried_close_is_shown_and_not_valid(book: Book) -> None:
    book.trade("1", "1", BEFORE)
    make.make_close(book.ibm, YESTERDAY, "50", source=CARRIED)
    make.make_quote(book.ibm, "51", NOW)
    assert book.figures() == (0, D(1), "quote", "carried")


def test_a_carried_close_that_no_figure_needs_casts_no_doubt(book: Book) -> None:
    make.make_close(book.ibm, YESTERDAY, "50")
    make.make_close(book.ibm, TODAY, "50", source=CARRIED)
    book.trade("2", "49")
    assert book.figures(CLOSED) == (D(2), 0, "carried", "carried")
    (total,) = live_totals(accounts=[book.account.pk], now=CLOSED)
    assert (total.invalid_rows, total.pnl_reason) == (1, "carried")
    book.trade("-2", "52")
    assert book.figures(CLOSED) == (D(6), 0, "carried", None)
    (total,) = live_totals(accounts=[book.account.pk], now=CLOSED)
    assert (total.invalid_rows, total.pnl_reason) == (0, None)


def test_a_first_day_without_previous_close(book: Book) -> None:
    book.trade("10", "20")
    assert book.figures() == (None, None, None, "no_mark")
    make.make_quote(book.ibm, "21", NOW)
    assert book.figures() == (D(10), D(0), "quote", None)
    book.trade("5", "20", YESTERDAY)
    assert book.figures() == (None, None, "quote", "no_previous_close")


def test_totals_sum_what_is_known_and_say_how_many_rows_are_not(book: Book) -> None:
    book.trade("1", "40")
    make.make_close(book.ibm, YESTERDAY, "50")
    make.make_quote(book.ibm, "51", NOW)
    unknown, book.ibm = book.ibm, make.make_instrument("XOM")
    book.trade("1", "1")
    book.ibm = unknown
    (total,) = live_totals(accounts=[book.account.pk], now=NOW)
    assert (total.trade_pnl, total.position_pnl) == (D(10), D(1))
    assert (total.invalid_rows, total.pnl_reason) == (1, "no_mark")


def test_an_account_with_nothing_has_a_total_of_zero(book: Book) -> None:
    (total,) = live_totals(accounts=[book.account.pk], now=NOW)
    assert (total.total_pnl, total.invalid_rows) == (0, 0)


def test_settling_when_one_projection_is_behind_for_long(book: Book) -> None:
    make.make_close(book.ibm, YESTERDAY, "50")
    make.make_quote(book.ibm, "51", NOW)
    book.trade("1", "40")
    with connection.cursor() as cursor:
        cursor.execute("SET eqtrade.recorded_at = '2026-03-18 16:00Z'")
    with transaction.atomic():
        make.make_trade(book.user, book.account, book.ibm, "1", "40", trade_date=TODAY, at=NOW)
    drain(POSITIONS, book.account.pk % 16)
    row = book.row()
    assert row is not None
    assert (row.position, row.held, row.pnl_reason) == (2, 1, None)
    row = book.row(NOW + timedelta(seconds=6))
    assert row is not None
    assert row.pnl_reason == "settling"
    book.read()
    row = book.row(NOW + timedelta(seconds=6))
    assert row is not None
    assert row.pnl_reason is None


# --- rows ----------------------------------------------------------------------------------------


def test_a_flat_row_stays_while_it_was_traded_today(book: Book) -> None:
    book.trade("100", "10")
    book.trade("-100", "12")
    make.make_close(book.ibm, YESTERDAY, "11")
    row = book.row()
    assert row is not None
    assert (row.position, row.trade_pnl) == (0, D(200))
    assert book.row(NOW + timedelta(days=1)) is None
    assert book.row(NOW + timedelta(days=1), include_flat=True) is not None


def test_late_entries_are_the_corrections_of_the_day(book: Book) -> None:
    """Recorded after yesterday's end, dated before today: what they changed in earlier P&L."""
    make.make_close(book.ibm, YESTERDAY, "50")
    with connection.cursor() as cursor:
        cursor.execute("SET eqtrade.recorded_at = '2026-03-17 15:00Z'")
    book.trade("10", "40", BEFORE)  # on time
    with connection.cursor() as cursor:
        cursor.execute("SET eqtrade.recorded_at = '2026-03-17 21:00Z'")
    book.trade("2", "45", BEFORE)  # after the end: late
    with connection.cursor() as cursor:
        cursor.execute("RESET eqtrade.recorded_at")
    found = live_corrections(accounts=[book.account.pk], now=NOW)
    assert found == {(book.account.pk, book.ibm.pk): D(10)}


# --- the SQL is the arithmetic -------------------------------------------------------------------

prices = st.integers(1, 10**7).map(lambda n: D(n) / 1000)
moves = st.lists(
    st.tuples(
        st.integers(-500, 500).filter(bool).map(lambda n: D(n) / 10),
        prices,
        st.sampled_from([BEFORE, YESTERDAY, TODAY]),
    ),
    min_size=1,
    max_size=6,
)


@pytest.fixture
def fresh_book(committed_db: PostgresServer) -> Callable[[], Book]:
    """A book of its own for each example: emptying the tables in between would take longer."""
    numbers = count()
    return lambda: Book(f"B{next(numbers)}")


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(moves=moves, previous=st.none() | prices, quote=st.none() | prices)
def test_sql_equals_the_pure_arithmetic(
    fresh_book: Callable[[], Book],
    moves: list[tuple[Decimal, Decimal, date]],
    previous: Decimal | None,
    quote: Decimal | None,
) -> None:
    book = fresh_book()
    for quantity, price, day in moves:
        book.trade(str(quantity), str(price), day)
    if previous is not None:
        make.make_close(book.ibm, YESTERDAY, str(previous))
    if quote is not None:
        make.make_quote(book.ibm, str(quote), NOW)
    row = book.row(include_flat=True)
    assert row is not None
    expected = session_pnl(
        closing_quantity=sum((q for q, _, _ in moves), D(0)),
        traded_quantity=sum((q for q, _, d in moves if d == TODAY), D(0)),
        traded_notional=sum((q * p for q, p, d in moves if d == TODAY), D(0)),
        previous_close=previous,
        mark=quote,
    )
    assert (row.trade_pnl, row.position_pnl) == (expected.trade_pnl, expected.position_pnl)
    # Without a quote, an open session's mark is yesterday's close: known, and stale.
    assert (row.pnl_reason in (None, "stale")) == (expected.total_pnl is not None)
    assert verify() == []
