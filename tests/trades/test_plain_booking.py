"""The two statements of a plain booking: what one found, the other tests again."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import AccessToken, Account, Entitlement
from kernel.errors import Invalid
from prices.models import Instrument, SessionOverride
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from tests.trades.test_booking import URL, nothing_booked, terms
from trades.models import ClientTradeId, LedgerEntry, Trade, TradeVersion
from trades.services.booking import Booked, trade_book
from trades.services.known import Asked, ask
from trades.terms import Booking


def booking(**changes: Any) -> Booking:
    given: dict[str, Any] = {
        "account": "Test1", "ticker": "IBM", "side": "sell", "quantity": Decimal(10),
        "price": Decimal(2), **changes,
    }  # fmt: skip
    return Booking(**given, sent=frozenset(given))


def asked_for(desk: Desk, wanted: Booking) -> Asked:
    asked = ask(wanted, user=desk.trader.pk, now=NOW)
    assert asked is not None
    return asked


def booked(desk: Desk, wanted: Booking, asked: Asked | None = None) -> Booked:
    return trade_book(user=desk.trader, booking=wanted, now=NOW, asked=asked)


# --- what changes between the two ----------------------------------------------------------------

CHANGES: dict[str, tuple[Callable[[], Any], str]] = {
    "may go short no more": (lambda: Account.objects.update(can_short=False), "short_position"),
    "account inactive": (lambda: Account.objects.update(is_active=False), "inactive_account"),
    "ticker inactive": (lambda: Instrument.objects.update(is_active=False), "inactive_ticker"),
    "no session any more": (
        lambda: SessionOverride.objects.create(date=date(2026, 3, 17), is_closed=True),
        "no_session",
    ),
}


@pytest.mark.parametrize(("change", "code"), CHANGES.values(), ids=CHANGES)
def test_what_changed_since_it_was_asked_counts(
    desk: Desk, change: Callable[[], Any], code: str
) -> None:
    wanted = booking(trade_date=date(2026, 3, 17))
    asked = asked_for(desk, wanted)
    change()
    with pytest.raises(Invalid) as refused:
        booked(desk, wanted, asked)
    assert [e.code for e in refused.value.errors] == [code]
    assert nothing_booked()


def test_a_change_that_forbids_nothing_lets_it_be_booked(desk: Desk) -> None:
    asked = asked_for(desk, booking())
    SessionOverride.objects.create(date=date(2026, 3, 17), is_closed=True)
    done = booked(desk, booking(), asked)
    assert (done.is_new, Trade.objects.get().pk) == (True, done.trade_id)


def test_a_refused_booking_leaves_its_id_free(desk: Desk) -> None:
    wanted = booking(client_trade_id="x", account="Test4")
    with pytest.raises(Invalid):
        booked(desk, wanted)
    assert not ClientTradeId.objects.exists()
    assert booked(desk, booking(client_trade_id="x", account="Test4", side="buy")).is_new


def test_a_retry_is_known_although_its_terms_would_be_refused_today(desk: Desk) -> None:
    """What was booked stays booked: neither the ticker nor the calendar is asked again."""
    wanted = booking(client_trade_id="x", trade_date=date(2026, 3, 17))
    first = booked(desk, wanted)
    SessionOverride.objects.create(date=date(2026, 3, 17), is_closed=True)
    Instrument.objects.update(ticker="IBMX")
    again = booked(desk, wanted)
    assert (again.is_new, again.trade_id) == (False, first.trade_id)
    assert Trade.objects.count() == TradeVersion.objects.count() == LedgerEntry.objects.count() == 1


# --- who asks ------------------------------------------------------------------------------------


@pytest.fixture
def token(desk: Desk) -> str:
    return make.make_token(desk.trader).key


def post(token: str | None, body: Any = None, **headers: str) -> Any:
    client = APIClient()
    if token is not None:
        headers["HTTP_AUTHORIZATION"] = f"Token {token}"
    sent = terms() if body is None else body
    kind = {"content_type": "application/json"} if isinstance(sent, bytes) else {"format": "json"}
    return client.post(URL, sent, **kind, **headers)  # type: ignore[arg-type]


BODIES = {
    "good": None, "no JSON": b"{", "a list": b"[]", "wrong": {"account": "Test1"},
    "doubled": b'{"account": "a", "account": "b"}', "large": b" " * 100_000 + b"{}",
    "other kind": b"x",
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("key", [None, "0" * 40], ids=["nobody", "unknown token"])
def test_who_asks_comes_before_what_is_asked(desk: Desk, key: str | None, body: Any) -> None:
    answer = post(key, body)
    assert answer.status_code == 401, answer.content
    assert answer.json()["errors"][0]["code"] in ("not_authenticated", "authentication_failed")
    assert nothing_booked()


@pytest.mark.parametrize("key", [None, "0" * 40], ids=["nobody", "unknown token"])
def test_a_bodys_length_comes_before_both(desk: Desk, key: str | None) -> None:
    answer = post(key, b" " * (11 * 1024 * 1024))
    assert answer.status_code == 413, answer.content
    assert answer.json()["errors"][0]["code"] == "payload_too_large"


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b" " * 100_000 + b"{}", 400), (b" " * (11 * 1024 * 1024), 413)],
)
def test_then_what_is_wrong_is_said(token: str, body: bytes, status: int) -> None:
    answer = post(token, body)
    assert answer.status_code == status, answer.content
    assert nothing_booked()


def test_a_large_body_is_booked_too(token: str) -> None:
    assert post(token, b" " * 100_000 + json.dumps(terms()).encode()).status_code == 201


def test_rights_end_with_the_next_request(desk: Desk, token: str) -> None:
    assert post(token).status_code == 201
    Entitlement.objects.filter(user=desk.trader).update(can_book=False)
    assert post(token).status_code == 403
    Entitlement.objects.filter(user=desk.trader).update(
        can_view=False, can_book=False, can_correct=False
    )
    assert post(token).json()["errors"][0]["code"] == "unknown_account"
    desk.trader.is_active = False
    desk.trader.save()
    assert post(token).json()["errors"][0]["detail"] == "User inactive or deleted."
    AccessToken.objects.all().delete()
    assert post(token).json()["errors"][0]["detail"] == "Invalid token."
    assert Trade.objects.count() == 1


def test_a_superuser_needs_no_entitlement(desk: Desk) -> None:
    boss = make.make_user("boss", is_superuser=True)
    key = make.make_token(boss).key
    answer = post(key)
    assert (answer.status_code, answer.json()["booked_by"]) == (201, "boss")


CHANGED: list[dict[str, Any]] = [
    {},
    {"trade_date": "2026-03-17"},
    {"note": '"a\\b", {c}', "side": "sell"},
    {"executed_at": "2026-03-16T10:00:00-04:00", "quantity": "0.0000000001"},
]


def test_the_answer_is_the_trade_as_it_is_read(desk: Desk, token: str) -> None:
    """Nothing is read for the answer, and it is the same as if it were."""
    make.make_close(desk.ibm, date(2026, 3, 17), "140")
    for changes in CHANGED:
        answer = post(token, terms(**changes))
        assert answer.status_code == 201, answer.content
        read = desk.client().get(f"{URL}{answer.json()['id']}/").json()
        assert answer.json() == read
        assert read["trade_date"] == changes.get("trade_date", read["trade_date"])
    assert TODAY.isoformat() in {t["trade_date"] for t in desk.client().get(URL).json()["results"]}


# --- from a page, by a session -------------------------------------------------------------------


@pytest.fixture
def page(desk: Desk) -> APIClient:
    client = APIClient()
    client.login(username="trader", password="demo")
    return client


def test_a_session_books_in_one_trip_more(
    desk: Desk, page: APIClient, django_assert_max_num_queries: Any
) -> None:
    page.post(URL, terms(), format="json")
    with django_assert_max_num_queries(3):
        assert page.post(URL, terms(), format="json").status_code == 201


def test_a_session_ends_with_the_password(desk: Desk, page: APIClient) -> None:
    desk.trader.set_password("another")
    desk.trader.save()
    assert page.post(URL, terms(), format="json").status_code == 401
    assert nothing_booked()


def test_a_session_of_someone_deactivated_is_nobodys(desk: Desk, page: APIClient) -> None:
    type(desk.trader).objects.filter(pk=desk.trader.pk).update(is_active=False)
    assert page.post(URL, terms(), format="json").status_code == 401
    assert nothing_booked()


def test_a_session_books_only_with_its_csrf_token(desk: Desk) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.login(username="trader", password="demo")
    assert client.post(URL, terms(), format="json").status_code == 403
    assert nothing_booked()
