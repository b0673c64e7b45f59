"""POST /api/v1/trades/: what is booked, what is refused, and who may."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from kernel.clock import clock_set
from tests import factories as make
from tests.trades.conftest import TODAY, Desk
from trades.models import ClientTradeId, LedgerEntry, Trade, TradeVersion

URL = "/api/v1/trades/"


def terms(**changes: Any) -> dict[str, Any]:
    given = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "10", "price": "143.5"}
    given.update(changes)
    return {k: v for k, v in given.items() if v is not ...}


def book(desk: Desk, who: str = "trader", **changes: Any) -> Any:
    # Escaped by hand: the test client's own encoder can't write an unpaired surrogate.
    body = json.dumps(terms(**changes))
    return desk.client(who).post(URL, body, content_type="application/json")


def problems(response: Any) -> set[tuple[str | None, str]]:
    return {(e["attr"], e["code"]) for e in response.json()["errors"]}


def nothing_booked() -> bool:
    tables = (Trade, TradeVersion, LedgerEntry, ClientTradeId)
    return not any(t.objects.exists() for t in tables)


def test_a_booking_is_a_trade_a_version_and_an_entry(desk: Desk) -> None:
    make.make_close(desk.ibm, date(2026, 3, 17), "140")
    answer = book(desk, side="sell", note="first", client_trade_id="a-1")
    assert answer.status_code == 201
    body = answer.json()
    assert {k: body[k] for k in ("account", "ticker", "side", "version", "status", "note")} == {
        "account": "Test1", "ticker": "IBM", "side": "sell", "version": 1, "status": "booked",
        "note": "first",
    }  # fmt: skip
    assert body["trade_date"] == TODAY.isoformat()
    assert body["booked_by"] == "trader"
    assert Decimal(body["trade_pnl"]) == Decimal("35")  # (140 − 143.50) × −10
    assert body["pnl_valid"] is True
    version = TradeVersion.objects.get()
    assert (str(version.trade_id), version.version, version.actor.username) == (
        body["id"], 1, "trader",
    )  # fmt: skip
    entry = LedgerEntry.objects.get()
    assert (entry.quantity, entry.notional, entry.trades) == (Decimal(-10), Decimal(-1435), 1)
    assert entry.shard == desk.account.pk % 16


def test_a_trade_has_exactly_the_contracts_fields(desk: Desk) -> None:
    assert set(book(desk).json()) == {
        "id", "account", "ticker", "side", "quantity", "price", "trade_date", "executed_at",
        "executed_at_known", "booked_at", "booked_by", "version", "status", "request_group",
        "client_trade_id", "note", "settlement_date", "strategy", "counterparty", "order_id",
        "fees", "net_amount", "tags", "trade_pnl", "pnl_valid",
    }  # fmt: skip


def test_without_a_previous_close_the_trades_pnl_is_unknown_not_zero(desk: Desk) -> None:
    body = book(desk).json()
    assert (body["trade_pnl"], body["pnl_valid"]) == (None, False)


@pytest.mark.parametrize("number", [
    10, 10.5, "10", "10.5", "0.0000000001", "999999999.9999999999", "0.00000000010", "1000000000",
    1000000000,
])  # fmt: skip
def test_plain_numbers_are_taken(desk: Desk, number: Any) -> None:
    assert book(desk, quantity=number).status_code == 201
    assert Trade.objects.get().quantity == Decimal(str(number))


BAD_NUMBERS = [
    "", " 1 ", "1_0", "1e3", "１２", "abc", "NaN", "Infinity", "-Infinity", "+5", "0x1f", "1,000",
    "0", "-0", "-1", "0.00000000001", "1.00000000001", "1000000000.0000000001", "1" * 21, 10**400,
    True, False, None, [], ["1"], {}, 0, -1, -0.0, "1\ud800", "1\x00",
]  # fmt: skip


@pytest.mark.parametrize("number", BAD_NUMBERS, ids=repr)
@pytest.mark.parametrize("field", ["quantity", "price"])
def test_numbers_that_are_refused(desk: Desk, field: str, number: Any) -> None:
    answer = book(desk, **{field: number})
    assert answer.status_code == 400, answer.content
    assert {attr for attr, _ in problems(answer)} == {field}
    assert nothing_booked()


@pytest.mark.parametrize(
    ("changes", "attr"),
    [
        ({"ticker": "NOPE"}, "ticker"),
        ({"ticker": "ibm"}, "ticker"),
        ({"ticker": 5}, "ticker"),
        ({"ticker": "X" * 17}, "ticker"),
        ({"account": "Nope"}, "account"),
        ({"account": "Test1\x00"}, "account"),
        ({"account": ""}, "account"),
        ({"side": "hold"}, "side"),
        ({"side": "BUY"}, "side"),
        ({"side": True}, "side"),
        ({"side": ["buy"]}, "side"),
        ({"side": "\ud800"}, "side"),
        ({"trade_date": "2026-03-19"}, "trade_date"),
        ({"trade_date": "2026-03-15"}, "trade_date"),  # a Sunday
        ({"trade_date": "2026-01-01"}, "trade_date"),  # a holiday
        ({"trade_date": "18.03.2026"}, "trade_date"),
        ({"trade_date": "2026-02-30"}, "trade_date"),
        ({"trade_date": 20260318}, "trade_date"),
        ({"trade_date": "20260318"}, "trade_date"),
        ({"trade_date": "1500-01-04"}, "trade_date"),
        ({"executed_at": "2026-03-18T17:00:00Z"}, "executed_at"),  # in the future
        ({"executed_at": "2026-03-18T11:00:00"}, "executed_at"),  # no offset
        ({"executed_at": "2026-03-15T11:00:00Z"}, "executed_at"),  # on no session
        ({"executed_at": "0001-01-01T00:00:00+14:00"}, "executed_at"),
        ({"executed_at": "noon"}, "executed_at"),
        ({"note": "a\nb"}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"note": "\udc00"}, "note"),
        ({"note": "x" * 201}, "note"),
        ({"note": 5}, "note"),
        ({"client_trade_id": ""}, "client_trade_id"),
        ({"client_trade_id": "x" * 65}, "client_trade_id"),
        ({"client_trade_id": "a\x07"}, "client_trade_id"),
        ({"colour": "red"}, "colour"),
        ({"status": "cancelled"}, "status"),
        ({"quantity": ...}, "quantity"),
        ({"account": ...}, "account"),
    ],
    ids=repr,
)
def test_refused_with_the_fields_name(desk: Desk, changes: dict[str, Any], attr: str) -> None:
    answer = book(desk, **changes)
    assert answer.status_code == 400, answer.content
    assert attr in {a for a, _ in problems(answer)}
    assert answer.json()["type"] == "validation_error"
    assert nothing_booked()


def test_all_that_is_wrong_is_said_at_once(desk: Desk) -> None:
    answer = book(desk, side="hold", quantity="-1", colour="red")
    assert {attr for attr, _ in problems(answer)} == {"side", "quantity", "colour"}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a":NaN}', b'{"a":1e999999999999}',
     b'{"account":"Test1","account":"Test2"}', b"[" * 100_000],
    ids=lambda b: repr(b[:40]),
)  # fmt: skip
def test_what_is_no_json_object_is_refused(desk: Desk, body: bytes) -> None:
    answer = desk.client().post(URL, body, content_type="application/json")
    assert answer.status_code == 400, answer.content
    assert nothing_booked()


def test_another_media_type_is_refused(desk: Desk) -> None:
    assert desk.client().post(URL, "a=b", content_type="text/plain").status_code == 415
    assert desk.client().post(URL, terms()).status_code == 415  # multipart


def test_a_body_over_the_limit_is_413_in_the_apis_form(desk: Desk) -> None:
    body = b'{"note":"' + b"x" * (10 * 1024 * 1024) + b'"}'
    answer = desk.client().post(URL, body, content_type="application/json")
    assert answer.status_code == 413
    assert answer.json()["errors"][0]["code"] == "payload_too_large"


# --- dates ---------------------------------------------------------------------------------------


def test_the_trade_date_follows_the_execution_in_new_york(desk: Desk) -> None:
    """21:30 in New York on the 17th is already the 18th in UTC."""
    answer = book(desk, executed_at="2026-03-18T01:30:00Z")
    assert answer.json()["trade_date"] == "2026-03-17"


def test_a_trade_date_given_stands(desk: Desk) -> None:
    answer = book(desk, trade_date="2026-03-16", executed_at="2026-03-17T15:00:00+00:00")
    assert answer.json()["trade_date"] == "2026-03-16"


# --- who may -------------------------------------------------------------------------------------


def test_who_may_view_but_not_book_gets_403(desk: Desk) -> None:
    answer = book(desk, "viewer")
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "not_entitled"
    assert nothing_booked()


def test_an_account_out_of_sight_does_not_exist(desk: Desk) -> None:
    hidden, unknown = book(desk, "outsider"), book(desk, "outsider", account="Nope")
    assert hidden.status_code == unknown.status_code == 400
    assert hidden.json() == unknown.json()


def test_nobody_books_without_login(desk: Desk) -> None:
    assert APIClient().post(URL, terms(), format="json").status_code == 401


def test_a_trade_out_of_sight_does_not_exist(desk: Desk) -> None:
    trade = book(desk, account="Test2").json()
    assert desk.client("viewer").get(f"{URL}{trade['id']}/").status_code == 404
    assert desk.client("viewer").get(URL).json()["results"] == []
    assert desk.client().get(f"{URL}{trade['id']}/").json() == {
        **trade, "trade_pnl": None,
    }  # fmt: skip


# --- client_trade_id -----------------------------------------------------------------------------


def test_the_same_id_books_once(desk: Desk) -> None:
    first, again = book(desk, client_trade_id="x"), book(desk, client_trade_id="x")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert Trade.objects.count() == LedgerEntry.objects.count() == 1


def test_numbers_are_compared_by_value_and_defaults_may_be_left_out(desk: Desk) -> None:
    book(desk, client_trade_id="x", trade_date="2026-03-18", note="")
    assert book(desk, client_trade_id="x", quantity="10.0", price=143.50).status_code == 200


@pytest.mark.parametrize(
    "change",
    [{"quantity": "11"}, {"price": "1"}, {"side": "sell"}, {"trade_date": "2026-03-17"},
     {"note": "other"}],
    ids=repr,
)  # fmt: skip
def test_the_same_id_with_other_terms_is_a_conflict(desk: Desk, change: dict[str, str]) -> None:
    book(desk, client_trade_id="x")
    answer = book(desk, client_trade_id="x", **change)
    assert answer.status_code == 409
    assert answer.json()["type"] == "client_error"
    assert Trade.objects.count() == 1


def test_the_same_id_in_another_account_is_another_trade(desk: Desk) -> None:
    book(desk, client_trade_id="x")
    assert book(desk, client_trade_id="x", account="Test2").status_code == 201


# --- limits --------------------------------------------------------------------------------------


def test_no_short_where_it_may_not(desk: Desk) -> None:
    assert book(desk, account="Test4", quantity="50").status_code == 201
    assert book(desk, account="Test4", side="sell", quantity="30").status_code == 201
    answer = book(desk, account="Test4", side="sell", quantity="21")
    assert problems(answer) == {("quantity", "short_position")}
    assert book(desk, account="Test4", side="sell", quantity="20").status_code == 201


def test_no_short_on_any_later_day_either(desk: Desk) -> None:
    """Held 10 on Monday, sold 10 on Tuesday: a sale dated Monday would leave Tuesday at −1."""
    book(desk, account="Test4", trade_date="2026-03-16")
    book(desk, account="Test4", trade_date="2026-03-17", side="sell")
    answer = book(desk, account="Test4", trade_date="2026-03-16", side="sell", quantity="1")
    assert problems(answer) == {("quantity", "short_position")}
    book(desk, account="Test4", quantity="5")
    answer = book(desk, account="Test4", trade_date="2026-03-17", side="sell", quantity="1")
    assert problems(answer) == {("quantity", "short_position")}
    assert book(desk, account="Test4", side="sell", quantity="5").status_code == 201


@pytest.mark.parametrize("what", ["ibm", "account"])
def test_the_inactive_can_only_be_closed_out(desk: Desk, what: str) -> None:
    book(desk)
    thing = getattr(desk, what)
    thing.is_active = False
    thing.save()
    assert book(desk, quantity="1").status_code == 400
    assert book(desk, side="sell", quantity="21").status_code == 400  # through zero and beyond
    assert book(desk, side="sell", quantity="10").status_code == 201


def test_numbers_at_their_limits_overflow_nothing(desk: Desk) -> None:
    for _ in range(3):
        assert book(desk, quantity="1000000000", price="1000000000").status_code == 201
    assert sum(LedgerEntry.objects.values_list("notional", flat=True)) == 3 * 10**18


def test_null_in_an_optional_field_counts_as_not_sent(desk: Desk) -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("trade_date", "executed_at", "client_trade_id", "note")
    )
    answer = book(desk, **nothing)
    assert answer.status_code == 201
    assert answer.json()["trade_date"] == TODAY.isoformat()


def test_a_day_before_which_nothing_is_known_is_no_session(desk: Desk) -> None:
    """P&L of a trade is measured from the session before."""
    answer = book(desk, trade_date="1970-01-02")
    assert problems(answer) == {("trade_date", "no_session")}


@pytest.mark.parametrize(
    ("day", "code"),
    [("2026-07-03", "no_session"), ("2026-07-04", "in_future"), ("2026-07-06", "in_future")],
)
def test_today_on_a_holiday_is_no_session_and_later_days_are_in_the_future(
    desk: Desk, day: str, code: str
) -> None:
    """Friday 2026-07-03 is a day off for Independence Day; the business date is Thursday's."""
    with clock_set(datetime(2026, 7, 3, 15, 0, tzinfo=UTC)):
        answer = book(desk, trade_date=day)
    assert problems(answer) == {("trade_date", code)}


def test_a_retry_does_not_show_a_trade_that_moved_out_of_sight(desk: Desk) -> None:
    trade = book(desk, client_trade_id="x").json()
    hidden = make.make_account("Hidden")
    Trade.objects.filter(pk=trade["id"]).update(account=hidden)
    answer = book(desk, client_trade_id="x")
    assert answer.status_code == 409
    assert "Hidden" not in answer.content.decode()
