"""Fee schedules: what they charge at booking, of what nobody says, and never again."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Account
from tests import factories as make
from tests.trades.conftest import NOW, Desk
from tests.trades.test_booking import URL, book, problems, terms
from trades.fee_rates import BOTH, HALF_UP, UP, Rate, charged
from trades.models import AccountFeeSchedule, FeeSchedule, Trade, VersionFee
from trades.services.recording import BOOK

D = Decimal
SCHEDULES = "/api/v1/fees/schedules/"
SEC = {
    "name": "SEC", "kind": "regulatory", "side": "sell", "valid_from": "2025-05-14",
    "per_million": "27.80", "round": "up", "accounts": ["Test1"],
}  # fmt: skip
TAF = {
    "name": "TAF", "kind": "regulatory", "side": "sell", "valid_from": "2024-01-01",
    "per_share": "0.000166", "maximum": "8.30", "round": "up", "accounts": ["Test1"],
}  # fmt: skip
HOUSE = {
    "name": "House", "kind": "commission", "valid_from": "2024-01-01", "per_million": "50",
    "minimum": "2.00", "accounts": ["Test1"],
}  # fmt: skip


def clerk(desk: Desk) -> APIClient:
    desk.viewer.user_permissions.add(Permission.objects.get(codename="add_feeschedule"))
    return make.client_of(desk.viewer)


def add(desk: Desk, *schedules: dict[str, Any], **changes: Any) -> None:
    for schedule in schedules:
        answer = clerk(desk).post(SCHEDULES, {**schedule, **changes}, format="json")
        assert answer.status_code == 201, answer.content


def charged_to(trade: dict[str, Any]) -> dict[str, Decimal]:
    return {fee["kind"]: D(fee["amount"]) for fee in trade["fees"]}


def test_the_worked_sale(desk: Desk) -> None:
    """400 @ 52.00: SEC 27.80 per million rounded up, 0.58; TAF 0.000166 a share, 0.07; at least
    2.00 of commission."""
    add(desk, SEC, TAF, HOUSE)
    trade = book(desk, side="sell", quantity="400", price="52").json()
    assert charged_to(trade) == {"commission": D(2), "regulatory": D("0.65")}
    assert D(trade["net_amount"]) == D("-20797.35")
    assert set(VersionFee.objects.values_list("source", flat=True)) == {"schedule"}
    bought = book(desk, quantity="1000", price="100").json()
    assert charged_to(bought) == {"commission": D(5)}
    assert charged_to(book(desk, account="Test2").json()) == {}


def test_what_a_caller_says_is_not_charged(desk: Desk) -> None:
    add(desk, SEC, HOUSE)
    said = [{"kind": "commission", "amount": "0"}]
    trade = book(desk, side="sell", quantity="400", price="52", fees=said).json()
    assert charged_to(trade) == {"commission": D(0), "regulatory": D("0.58")}
    by_source = dict(VersionFee.objects.values_list("kind", "source"))
    assert by_source == {"commission": "entered", "regulatory": "schedule"}


def test_a_schedule_changes_no_booked_trade(desk: Desk) -> None:
    add(desk, HOUSE)
    said = {"client_trade_id": "a", "quantity": "1000", "price": "100"}
    first = book(desk, **said).json()
    add(desk, HOUSE, valid_from="2026-03-18", per_million="70", accounts=[])
    FeeSchedule.objects.filter(valid_from="2024-01-01").update(per_million=90)
    assert desk.client().get(f"{URL}{first['id']}/").json() == first
    again = book(desk, **said)
    assert (again.status_code, again.json()) == (200, first)
    body = {"version": 1, "reason": "misread", "quantity": "2000"}
    amended = desk.client().patch(f"{URL}{first['id']}/", body, format="json").json()
    assert charged_to(amended) == {"commission": D(5)}
    # Of what is booked now, by its trade date.
    assert charged_to(book(desk, quantity="1000", price="100").json()) == {"commission": D(7)}
    late = book(desk, quantity="1000", price="100", trade_date="2026-03-17").json()
    assert charged_to(late) == {"commission": D(9)}


def test_in_bulk_and_with_a_retry_that_says_a_default(desk: Desk) -> None:
    add(desk, HOUSE)
    rows = [terms(client_trade_id="a"), terms(account="Test2"), terms(fees=[])]
    answer = desk.client().post(f"{URL}bulk/", {"trades": rows}, format="json")
    assert answer.status_code == 201, answer.content
    found = {str(t.pk): t.fees for t in Trade.objects.all()}
    assert [found[pk] for pk in answer.json()["ids"]] == [D(2), None, D(2)]
    assert book(desk, client_trade_id="a", settlement_date="2026-03-19").status_code == 200
    assert book(desk, client_trade_id="a", fees=[]).status_code == 200


def test_an_account_says_whether_it_is_charged(desk: Desk) -> None:
    def says() -> bool:
        return Account.objects.get(code="Test1").has_fee_schedules

    assert not says()
    add(desk, SEC, HOUSE)
    assert says()
    Account.objects.get(code="Test1").save()
    AccountFeeSchedule.objects.filter(schedule__name="SEC").delete()
    assert says()
    AccountFeeSchedule.objects.all().delete()
    assert not says()
    assert charged_to(book(desk).json()) == {}


def test_without_schedules_and_fees_a_booking_is_two_statements(
    desk: Desk, django_assert_num_queries: Any
) -> None:
    book(desk)
    with django_assert_num_queries(2):
        assert book(desk).status_code == 201
    assert "versionfee" not in BOOK[False, True, False]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"kind": "bribe"}, ("kind", "invalid_choice")),
        ({"per_million": "-1"}, ("per_million", "not_positive")),
        ({"valid_from": "soon"}, ("valid_from", "malformed")),
        ({"minimum": "3", "maximum": "2"}, (None, "invalid")),
        ({"accounts": ["Nope"]}, ("accounts", "unknown_account")),
        ({}, (None, "invalid")),
    ],
    ids=str,
)
def test_schedules_that_are_refused(
    desk: Desk, changes: dict[str, Any], problem: tuple[str | None, str]
) -> None:
    add(desk, HOUSE)
    answer = clerk(desk).post(SCHEDULES, {**HOUSE, **changes}, format="json")
    assert (answer.status_code, problems(answer)) == (400, {problem})


def test_the_list(desk: Desk) -> None:
    add(desk, HOUSE, SEC)
    rows = desk.client().get(SCHEDULES).json()["results"]
    assert [(row["name"], row["round"], row["accounts"]) for row in rows] == [
        ("House", "half_up", ["Test1"]), ("SEC", "up", ["Test1"]),
    ]  # fmt: skip
    hidden = desk.client("outsider").get(SCHEDULES).json()["results"]
    assert [row["accounts"] for row in hidden] == [[], []]
    assert desk.client().post(SCHEDULES, HOUSE, format="json").status_code == 403


@pytest.mark.parametrize(
    ("rate", "quantity", "price", "amount"),
    [
        ({"per_million": D("27.8"), "rounding": UP}, "400", "52", "0.58"),
        ({"per_million": D("27.8"), "rounding": HALF_UP}, "1", "359.71", "0.01"),
        ({"per_share": D("0.005")}, "1", "9", "0.01"),
        ({"per_share": D("0.005"), "minimum": D(1)}, "100", "9", "1"),
        ({"per_share": D("0.005"), "maximum": D("0.2")}, "100", "9", "0.2"),
        ({"per_share": D("0.0000000001"), "rounding": UP}, "1", "1", "0.01"),
        ({"per_million": D(10), "per_share": D("0.01")}, "10000", "100", "110"),
    ],
)
def test_amounts(rate: dict[str, Any], quantity: str, price: str, amount: str) -> None:
    found = Rate("a", "tax", BOTH, date(2026, 1, 1), **rate)
    assert found.amount(D(quantity), D(price)) == D(amount)


def test_the_rate_of_a_day() -> None:
    rates = [Rate("a", "tax", BOTH, date(2026, month, 1), per_share=D(month)) for month in (3, 1)]
    for day, expected in (
        (date(2025, 12, 31), []), (date(2026, 1, 1), [D(1)]), (date(2026, 3, 1), [D(3)]),
    ):  # fmt: skip
        said: dict[str, Any] = {"side": "buy", "quantity": D(1), "price": D(1), "said": ()}
        assert [fee.amount for fee in charged(rates, day=day, **said)] == expected


def test_the_admin_shows_what_it_would_take_of_the_last_trades(desk: Desk) -> None:
    add(desk, HOUSE, accounts=[])
    book(desk, quantity="1000", price="100")
    boss = make.make_user("boss", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(boss)
    schedule = FeeSchedule.objects.get()
    page = client.get(f"/admin/trades/feeschedule/{schedule.pk}/change/").content.decode()
    assert "<td>1000</td><td>100</td><td>5</td>" in page
    assert not VersionFee.objects.exists()
    assert client.get("/admin/trades/feeschedule/add/").status_code == 200


@pytest.mark.parametrize(
    "said",
    [
        {"side": "sell", "quantity": "400", "price": "52"},
        {"quantity": "1000", "price": "100", "trade_date": "2026-03-17"},
        {"side": "sell", "quantity": "3", "fees": [{"kind": "commission", "amount": "0"}]},
        {"account": "Test2", "fees": [{"kind": "other", "amount": "-0.2"}]},
    ],
)
def test_a_check_tells_the_fees_that_booking_charges(desk: Desk, said: dict[str, Any]) -> None:
    add(desk, SEC, TAF, HOUSE)
    add(desk, HOUSE, valid_from="2026-03-18", per_million="70", accounts=[])
    make.make_quote(desk.ibm, "51", NOW)
    checked = desk.client().post(f"{URL}check/", terms(**said), format="json").json()
    assert Trade.objects.count() == 0
    trade = book(desk, **said).json()
    assert charged_to(checked) == charged_to(trade)
    assert D(checked["net_amount"]) == D(trade["net_amount"])
    assert D(checked["fees_total"]) == sum(charged_to(trade).values())
    assert D(checked["pnl_at_once"]) - D(checked["net_pnl_at_once"]) == D(checked["fees_total"])
    by_source = dict(VersionFee.objects.values_list("kind", "source"))
    assert {fee["kind"]: fee["source"] for fee in checked["fees"]} == by_source
