"""POST /api/v1/trades/bulk/: all or nothing, once, in order; rows are judged alike."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import Account
from tests import factories as make
from tests.at_once import at_once
from tests.trades.conftest import NOW, TODAY, Desk, make_desk
from tests.trades.test_booking import BAD_NUMBERS, nothing_booked, problems, terms
from trades.bookings import booking_of
from trades.models import ClientTradeId, LedgerEntry, RequestGroup, Trade, TradeVersion
from trades.services.bulk import MAX_TRADES, BulkBooked, RequestGroupTaken, trades_bulk_book

URL = "/api/v1/trades/bulk/"


def bulk(desk: Desk, *rows: Any, who: str = "trader", **more: Any) -> Any:
    body = json.dumps({"trades": list(rows), **more})
    return desk.client(who).post(URL, body, content_type="application/json")


def test_a_batch_is_trades_versions_and_entries_of_one_group(desk: Desk) -> None:
    answer = bulk(
        desk,
        terms(note="tab\\t and 'quote'", client_trade_id="c\\1"),
        terms(side="sell", quantity="2.5", price="0.000001", account="Test2"),
        terms(trade_date="2026-03-16", executed_at="2026-03-16T15:00:00+01:00"),
    )
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["booked"] == 3
    assert sorted(body["ids"]) == body["ids"]
    group = RequestGroup.objects.get()
    assert (str(group.pk), group.trades, group.user) == (body["request_group"], 3, desk.trader)
    trades = [Trade.objects.get(pk=pk) for pk in body["ids"]]
    assert [(t.note, t.client_trade_id) for t in trades] == [
        ("tab\\t and 'quote'", "c\\1"), ("", None), ("", None),
    ]  # fmt: skip
    assert [t.trade_date for t in trades] == [TODAY, TODAY, date(2026, 3, 16)]
    assert [t.executed_at for t in trades] == [
        NOW,
        NOW,
        datetime.fromisoformat("2026-03-16T14:00Z"),
    ]
    assert {(t.booked_at, t.booked_by, t.version, t.status) for t in trades} == {
        (NOW, desk.trader, 1, "booked")
    }
    for trade in trades:
        version, entry = TradeVersion.objects.get(trade=trade), LedgerEntry.objects.get(trade=trade)
        for name in ("account_id", "instrument_id", "side", "quantity", "price", "trade_date",
                     "executed_at", "note", "version", "status"):  # fmt: skip
            assert getattr(version, name) == getattr(trade, name)
        sign = 1 if trade.side == "buy" else -1
        assert entry.quantity == sign * trade.quantity
        assert entry.notional == sign * trade.quantity * trade.price
        assert (entry.trades, entry.version, entry.account_id) == (1, 1, trade.account_id)
        assert entry.recorded_at is not None


def test_the_numbers_limits_are_exact(desk: Desk) -> None:
    bulk(desk, terms(quantity="1000000000", price="0.000001"), terms(quantity=0.5, price=10**9))
    assert sorted(LedgerEntry.objects.values_list("quantity", "notional")) == [
        (Decimal("0.5"), Decimal(500_000_000)), (Decimal(10**9), Decimal(1000)),
    ]  # fmt: skip


# --- what is wrong with a row --------------------------------------------------------------------

BAD_ROWS: list[dict[str, Any]] = [
    *({"quantity": n} for n in BAD_NUMBERS),
    *({"price": n} for n in BAD_NUMBERS),
    {"ticker": "NOPE"}, {"ticker": "ibm"}, {"ticker": 5}, {"ticker": "X" * 17}, {"ticker": "  "},
    {"ticker": "IBM\ud800"}, {"ticker": None}, {"account": "Nope"}, {"account": "Test1\x00"},
    {"account": ""}, {"account": ["Test1"]}, {"account": ...}, {"quantity": ...},
    {"side": "hold"}, {"side": "BUY"}, {"side": "\ud800"}, {"side": None},
    {"trade_date": "2026-03-19"}, {"trade_date": "2026-03-15"}, {"trade_date": "18.03.2026"},
    {"trade_date": "2026-02-30"}, {"trade_date": 20260318}, {"trade_date": "1500-01-04"},
    {"trade_date": "1970-01-02"}, {"executed_at": "2026-03-18T17:00:00Z"},
    {"executed_at": "2026-03-18T11:00:00"}, {"executed_at": "2026-03-15T11:00:00Z"},
    {"executed_at": "0001-01-01T00:00:00+14:00"}, {"executed_at": "noon"}, {"executed_at": 5},
    {"executed_at": "2026-03-18 11:00:00Z"}, {"note": "a\nb"}, {"note": "a\x00b"},
    {"note": "\udc00"}, {"note": "x" * 201}, {"note": 5}, {"client_trade_id": ""},
    {"client_trade_id": "x" * 65}, {"client_trade_id": "a\x07"}, {"colour": "red"},
    {"status": "cancelled", "id": "x"}, {"col\ud800our": 1},
    {"side": "hold", "quantity": "-1", "colour": "red"},
]  # fmt: skip
GOOD_ROWS: list[dict[str, Any]] = [
    {"ticker": " IBM "}, {"quantity": 10}, {"quantity": 10.5}, {"price": ".5"}, {"price": "7."},
    {"quantity": "1.0000000"}, {"quantity": "007"}, {"note": ""}, {"note": None},
    {"trade_date": None}, {"executed_at": "2026-03-18T15:59:59.123456-00:00"},
    {"client_trade_id": "ä€𝄞"}, {"executed_at": "2026-03-18T12:00-04:00"},
]  # fmt: skip


def test_bad_rows_are_refused_in_the_words_of_single_bookings(desk: Desk) -> None:
    """One batch of nothing but bad rows, beside each of them sent alone. What the database has to
    be asked for is looked at only once every row is well-formed, so there are two batches."""
    client = desk.client()
    for known in (True, False):
        rows = [terms(**c) for c in BAD_ROWS if (booking_of(terms(**c)).__class__ is list) is known]
        assert rows
        expected = []
        for number, row in enumerate(rows):
            body = json.dumps(row)
            single = client.post("/api/v1/trades/", body, content_type="application/json")
            assert single.status_code == 400, (row, single.content)
            expected += [
                {**error, "attr": f"trades.{number}.{error['attr']}"}
                for error in single.json()["errors"]
            ]
        answer = bulk(desk, *rows)
        assert answer.status_code == 400, answer.content
        assert _in_order(answer.json()["errors"]) == _in_order(expected)
    assert nothing_booked()
    assert not RequestGroup.objects.exists()


def _in_order(errors: list[dict[str, str]]) -> list[str]:
    """REST framework repeats a side that is no text; the check of a row does not."""
    for error in errors:
        if error["code"] == "invalid_choice":
            error["detail"] = "This must be buy or sell."
    return sorted(json.dumps(e, sort_keys=True) for e in errors)


def test_good_rows_are_booked_as_single_bookings_are(desk: Desk) -> None:
    for changes in GOOD_ROWS:
        single = desk.client().post("/api/v1/trades/", terms(**changes), format="json")
        assert single.status_code == 201, (changes, single.content)
        other = {**changes, **({"client_trade_id": "y"} if "client_trade_id" in changes else {})}
        answer = bulk(desk, terms(**other))
        assert answer.status_code == 201, (changes, answer.content)
        ids = [single.json()["id"], *answer.json()["ids"]]
        one, two = TradeVersion.objects.filter(trade__in=ids).values(
            "account", "instrument", "side", "quantity", "price", "trade_date", "executed_at",
            "note",
        )  # fmt: skip
        assert one == two, changes


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({}, "trades"), ({"trades": None}, "trades"), ({"trades": []}, "trades"),
        ({"trades": {}}, "trades"), ({"trades": "x"}, "trades"), ({"trades": [5]}, "trades.0"),
        ({"trades": [None]}, "trades.0"), ({"trades": [[]]}, "trades.0"),
        ({"trades": [{}] * (MAX_TRADES + 1)}, "trades"),
        ({"trades": [{}], "colour": 1}, "colour"),
        ({"trades": [{}], "request_group": "x"}, "request_group"),
        ({"trades": [{}], "request_group": 5}, "request_group"),
        ({"trades": [{}], "request_group": "{01a20994-7003-72b3-adae-4f3ac809a58f}"},
         "request_group"),
    ],
    ids=lambda v: repr(v)[:40],
)  # fmt: skip
def test_a_body_that_is_no_batch(desk: Desk, body: dict[str, Any], attr: str) -> None:
    answer = desk.client().post(URL, body, format="json")
    assert answer.status_code == 400, answer.content
    assert attr in {a for a, _ in problems(answer)}


def test_a_body_over_the_limit_is_413(desk: Desk) -> None:
    body = b'{"trades":[' + b" " * (10 * 1024 * 1024) + b"]}"
    answer = desk.client().post(URL, body, content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["code"] == "payload_too_large"


def test_very_many_errors_are_counted_not_listed(desk: Desk) -> None:
    errors = bulk(desk, *[terms(price="x")] * 1500).json()["errors"]
    assert len(errors) == 1001
    assert errors[-1] == {
        "code": "more_errors", "detail": "There are 500 more errors like these.", "attr": "trades",
    }  # fmt: skip


# --- who may -------------------------------------------------------------------------------------


def test_one_row_in_an_account_that_one_may_only_view_is_403(desk: Desk) -> None:
    make.entitle(desk.viewer, desk.other, book=True)
    answer = bulk(desk, terms(account="Test2"), terms(), who="viewer")
    assert answer.status_code == 403
    assert "Test1" in answer.json()["errors"][0]["detail"]
    assert nothing_booked()


def test_an_account_out_of_sight_is_unknown(desk: Desk) -> None:
    hidden, unknown = bulk(desk, terms(), who="outsider"), bulk(desk, terms(account="Nope"))
    assert problems(hidden) == problems(unknown) == {("trades.0.account", "unknown_account")}
    assert hidden.json() == unknown.json()


# --- once ----------------------------------------------------------------------------------------


def test_the_same_group_again_books_nothing_and_gives_the_same_ids(desk: Desk) -> None:
    rows = [terms(), terms(side="sell", client_trade_id="a"), terms(price="2"), terms()]
    first = bulk(desk, *rows, request_group=str(uuid4()))
    again = bulk(desk, *rows, request_group=first.json()["request_group"].upper())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Trade.objects.count() == LedgerEntry.objects.count() == 4
    # By value: the same numbers written otherwise.
    rows[0] = terms(quantity="10.00", price=143.50)
    assert bulk(desk, *rows, request_group=first.json()["request_group"]).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"price": "3"}, {"client_trade_id": "z"}, {"note": "n"}, {"trade_date": "2026-03-18"}],
    ids=repr,
)
def test_the_same_group_with_other_trades_is_a_conflict(desk: Desk, change: dict[str, str]) -> None:
    group = str(uuid4())
    bulk(desk, terms(), request_group=group)
    for rows in ([terms(**change)], [terms(), terms()]):
        answer = bulk(desk, *rows, request_group=group)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (
            409, "request_group_taken",
        )  # fmt: skip
    assert Trade.objects.count() == 1


def test_somebody_elses_group_is_a_conflict_and_tells_nothing(desk: Desk) -> None:
    group = str(uuid4())
    bulk(desk, terms(account="Test2"), request_group=group)
    make.entitle(desk.outsider, desk.other, book=True)
    answer = bulk(desk, terms(account="Test2"), request_group=group, who="outsider")
    assert answer.status_code == 409
    assert "ids" not in answer.json()


def test_a_refused_batch_may_be_sent_again_under_its_group(desk: Desk) -> None:
    group = str(uuid4())
    assert bulk(desk, terms(ticker="NOPE"), request_group=group).status_code == 400
    assert bulk(desk, terms(), request_group=group).status_code == 201


def test_rows_booked_before_by_their_own_id_are_not_booked_again(desk: Desk) -> None:
    single = desk.client().post("/api/v1/trades/", terms(client_trade_id="a"), format="json")
    answer = bulk(desk, terms(client_trade_id="a"), terms(client_trade_id="b"))
    assert answer.status_code == 201
    assert answer.json()["booked"] == 1
    assert answer.json()["ids"][0] == single.json()["id"]
    retry = desk.client().post("/api/v1/trades/", terms(client_trade_id="b"), format="json")
    assert (retry.status_code, retry.json()["id"]) == (200, answer.json()["ids"][1])
    assert Trade.objects.count() == 2
    again = bulk(
        desk, terms(client_trade_id="a"), terms(client_trade_id="b"),
        request_group=answer.json()["request_group"],
    )  # fmt: skip
    assert (again.status_code, again.json()) == (200, answer.json())


def test_an_own_id_taken_by_other_terms_refuses_the_batch(desk: Desk) -> None:
    bulk(desk, terms(client_trade_id="a"))
    answer = bulk(desk, terms(), terms(client_trade_id="a", price="9"))
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "client_trade_id_taken"
    assert "Row 1" in answer.json()["errors"][0]["detail"]
    assert Trade.objects.count() == 1


def test_the_same_own_id_twice_in_a_batch_is_one_trade(desk: Desk) -> None:
    answer = bulk(desk, *[terms(client_trade_id="a")] * 2)
    assert answer.json()["booked"] == 1
    assert len(set(answer.json()["ids"])) == 1
    mixed = bulk(desk, terms(client_trade_id="b"), terms(client_trade_id="b", price="9"))
    assert mixed.status_code == 409
    assert Trade.objects.count() == ClientTradeId.objects.count() == 1


def test_the_same_own_id_twice_may_leave_out_a_default(desk: Desk) -> None:
    """Compared in the fields that the row sends, as a retry of a single booking is."""
    long = terms(client_trade_id="a", trade_date=TODAY.isoformat(), note="")
    for rows in ([long, terms(client_trade_id="a")], [terms(client_trade_id="b"), long]):
        rows = [{**row, "client_trade_id": rows[0]["client_trade_id"]} for row in rows]
        answer = bulk(desk, *rows)
        assert (answer.status_code, answer.json()["booked"]) == (201, 1), answer.content
        assert len(set(answer.json()["ids"])) == 1
        # Once more, now that both rows were booked before.
        again = bulk(desk, *rows[::-1])
        assert (again.status_code, again.json()["booked"]) == (201, 0)
    for other in ({"note": "x"}, {"trade_date": "2026-03-17"}, {"side": "sell"}):
        answer = bulk(desk, terms(client_trade_id="c"), terms(client_trade_id="c", **other))
        assert answer.status_code == 409, other
    assert Trade.objects.count() == 2


def test_the_same_group_again_after_the_account_was_renamed(desk: Desk) -> None:
    group = str(uuid4())
    single = desk.client().post("/api/v1/trades/", terms(client_trade_id="a"), format="json")
    rows = [terms(client_trade_id="a"), terms(), terms(client_trade_id="b")]
    first = bulk(desk, *rows, request_group=group)
    assert first.json()["ids"][0] == single.json()["id"]
    Account.objects.filter(pk=desk.account.pk).update(code="Renamed")
    again = bulk(desk, *rows, request_group=group)
    assert (again.status_code, again.json()) == (200, first.json())


def test_a_trade_that_moved_out_of_sight_is_not_shown(desk: Desk) -> None:
    trade = bulk(desk, terms(client_trade_id="x")).json()["ids"][0]
    Trade.objects.filter(pk=trade).update(account=make.make_account("Hidden"))
    answer = bulk(desk, terms(client_trade_id="x"))
    assert answer.status_code == 409
    assert "Hidden" not in answer.content.decode()
    assert trade not in answer.content.decode()


# --- limits --------------------------------------------------------------------------------------


def mine(side: str, quantity: str, day: str = TODAY.isoformat(), **more: Any) -> dict[str, Any]:
    return terms(account="Test4", side=side, quantity=quantity, trade_date=day, **more)


def test_rows_count_in_order_where_short_is_not_allowed(desk: Desk) -> None:
    assert bulk(desk, mine("buy", "10"), mine("sell", "10")).status_code == 201
    answer = bulk(desk, mine("sell", "10"), mine("buy", "10"))
    assert problems(answer) == {("trades.0.quantity", "short_position")}
    answer = bulk(desk, mine("buy", "5"), mine("sell", "3"), mine("sell", "3"), mine("sell", "2"))
    assert problems(answer) == {("trades.2.quantity", "short_position")}
    assert Trade.objects.count() == 2


def test_no_short_on_any_later_day_either(desk: Desk) -> None:
    """Held 10 on Monday, sold 10 on Tuesday: a sale dated Monday would leave Tuesday at −1."""
    monday, tuesday = "2026-03-16", "2026-03-17"
    assert bulk(desk, mine("buy", "10", monday), mine("sell", "10", tuesday)).status_code == 201
    assert problems(bulk(desk, mine("sell", "1", monday))) == {
        ("trades.0.quantity", "short_position")
    }
    # Bought today, which helps today only.
    answer = bulk(desk, mine("buy", "5"), mine("sell", "1", tuesday))
    assert problems(answer) == {("trades.1.quantity", "short_position")}
    assert bulk(desk, mine("buy", "1", monday), mine("sell", "1", tuesday)).status_code == 201


@pytest.mark.parametrize("what", ["ibm", "account"])
def test_the_inactive_can_only_be_closed_out(desk: Desk, what: str) -> None:
    bulk(desk, terms(quantity="10"))
    thing = getattr(desk, what)
    thing.is_active = False
    thing.save()
    code = "inactive_ticker" if what == "ibm" else "inactive_account"
    assert {c for _, c in problems(bulk(desk, terms(quantity="1")))} == {code}
    answer = bulk(desk, *[terms(side="sell", quantity="10")] * 2)
    assert {(a and a[:8], c) for a, c in problems(answer)} == {("trades.1", code)}
    assert bulk(desk, *[terms(side="sell", quantity="5")] * 2).status_code == 201


# --- at once -------------------------------------------------------------------------------------


@pytest.fixture
def committed_desk(committed_db: None, noon: datetime) -> Desk:
    return make_desk()


def test_equal_requests_at_once_book_once(committed_desk: Desk) -> None:
    group, rows = uuid4(), [terms(), terms(client_trade_id="a")]

    def book() -> BulkBooked:
        return trades_bulk_book(user=committed_desk.trader, rows=rows, request_group=group, now=NOW)

    results = at_once(*[book] * 8)
    assert all(isinstance(r, BulkBooked) for r in results), results
    booked = [r for r in results if isinstance(r, BulkBooked)]
    assert sum(b.is_new for b in booked) == 1
    assert len({tuple(b.ids) for b in booked}) == 1
    assert Trade.objects.count() == LedgerEntry.objects.count() == 2


def test_the_same_group_for_other_trades_at_once(committed_desk: Desk) -> None:
    group = uuid4()

    def book(price: str) -> Any:
        return lambda: trades_bulk_book(
            user=committed_desk.trader, rows=[terms(price=price)], request_group=group, now=NOW
        )

    results = at_once(*[book(str(n)) for n in range(1, 7)])
    assert sum(isinstance(r, BulkBooked) for r in results) == 1
    assert sum(isinstance(r, RequestGroupTaken) for r in results) == 5
    assert Trade.objects.count() == 1


def test_own_ids_in_opposite_orders_at_once_do_not_block_each_other(committed_desk: Desk) -> None:
    rows = [terms(client_trade_id=f"{n:03}") for n in range(300)]

    def book(mine: list[dict[str, Any]]) -> Any:
        return lambda: trades_bulk_book(
            user=committed_desk.trader, rows=mine, request_group=None, now=NOW
        )

    results = at_once(*[book(rows), book(rows[::-1])] * 3)
    booked = [r for r in results if isinstance(r, BulkBooked)]
    assert len(booked) == 6, results
    assert sum(b.booked for b in booked) == Trade.objects.count() == 300


def test_racing_batches_never_go_short(committed_desk: Desk) -> None:
    def book(*rows: dict[str, Any]) -> Any:
        return lambda: trades_bulk_book(
            user=committed_desk.trader, rows=rows, request_group=None, now=NOW
        )

    book(mine("buy", "50"))()
    results = at_once(*[book(mine("sell", "5"), mine("sell", "5"))] * 8)
    assert sum(isinstance(r, BulkBooked) for r in results) == 5
    entries = LedgerEntry.objects.values_list("quantity", flat=True)
    assert sum(entries) == 0


def test_a_row_of_text_is_read_as_people_write_it() -> None:
    row = {"account": "A", "ticker": "T", "side": " Buy ", "quantity": "1", "price": "1"}
    assert isinstance(booking_of(row), list)
    booking = booking_of({**row, "executed_at": "2026-03-18 11:00:00"}, is_text=True)
    assert not isinstance(booking, list)
    assert booking.side == "buy"
    assert booking.executed_at == datetime.fromisoformat("2026-03-18T15:00Z")
