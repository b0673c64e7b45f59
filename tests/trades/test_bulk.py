"""POST /api/v1/trades/bulk/: all or nothing, once, in order; rows are judged alike."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from tests.trades.test_booking import BAD_NUMBERS, nothing_booked, problems, terms
from trades.bookings import booking_of
from trades.models import LedgerEntry, RequestGroup, Trade, TradeVersion
from trades.services.bulk import MAX_TRADES

URL = "/api/v1/trades/bulk/"


def bulk(desk: Desk, *rows: Any, who: str = "trader", **more: Any) -> Any:
    body = json.dumps({"trades": list(rows), **more})
    return desk.client(who).post(URL, body, content_type="application/json")


def test_a_batch_is_trades_versions_and_entries_of_one_group(desk: Desk) -> None:
    answer = bulk(
        desk,
        terms(note="tab\\t and 'quote'", client_trade_id="c\\1"),
        terms(side="sell", quantity="3.3333333333", price="0.0000000001", account="Test2"),
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
    bulk(desk, terms(quantity="1000000000", price="0.0000000001"), terms(quantity=0.5, price=10**9))
    assert sorted(LedgerEntry.objects.values_list("quantity", "notional")) == [
        (Decimal("0.5"), Decimal(500_000_000)), (Decimal(10**9), Decimal("0.1")),
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


def test_a_row_of_text_is_read_as_people_write_it() -> None:
    row = {"account": "A", "ticker": "T", "side": " Buy ", "quantity": "1", "price": "1"}
    assert isinstance(booking_of(row), list)
    booking = booking_of({**row, "executed_at": "2026-03-18 11:00:00"}, is_text=True)
    assert not isinstance(booking, list)
    assert booking.side == "buy"
    assert booking.executed_at == datetime.fromisoformat("2026-03-18T15:00Z")
