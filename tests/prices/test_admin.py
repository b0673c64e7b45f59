"""The admin sets and ends overrides by the services, and edits no records."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from kernel import clock
from prices.models import Close, Instrument, PriceOverride, Quote, SessionOverride
from prices.services.overrides import override_set

pytestmark = pytest.mark.django_db

OVERRIDES = "/admin/prices/priceoverride/"


@pytest.fixture(autouse=True)
def frozen(now: datetime) -> Any:
    with clock.clock_set(now):
        yield


@pytest.fixture
def boss(db: None) -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def form(instrument: Instrument, **changed: str) -> dict[str, Any]:
    return {"instrument": instrument.pk, "price": "144.07", "reason": "Halted", **changed}


def test_setting_one_goes_through_the_service(
    client: Client, boss: User, ibm: Instrument, now: datetime
) -> None:
    before = override_set(user=boss, ticker="IBM", price=Decimal(2), reason="Old", now=now)
    response = client.post(f"{OVERRIDES}add/", form(ibm))
    assert response.status_code == 302, response.context["adminform"].form.errors
    before.refresh_from_db()
    assert before.ended_at == now
    made = PriceOverride.objects.get(ended_at=None)
    assert (str(made.price), made.user, made.reason) == ("144.07", boss, "Halted")
    assert made.expires_at > now


@pytest.mark.parametrize(
    "changed",
    [
        {"price": "0"},
        {"price": "1.12345678901"},
        {"reason": " "},
        {"expires_at_0": "2026-01-29", "expires_at_1": "10:00:00"},
    ],
)
def test_what_the_service_refuses_is_an_error_in_the_form(
    client: Client, ibm: Instrument, changed: dict[str, str]
) -> None:
    response = client.post(f"{OVERRIDES}add/", form(ibm, **changed))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert not PriceOverride.objects.exists()


def test_it_is_shown_and_not_edited(
    client: Client, boss: User, ibm: Instrument, now: datetime
) -> None:
    made = override_set(user=boss, ticker="IBM", price=Decimal(2), reason="Halted", now=now)
    address = f"{OVERRIDES}{made.pk}/change/"
    assert client.get(address).status_code == 200
    assert client.post(address, form(ibm, price="999", reason="Edited")).status_code == 403
    made.refresh_from_db()
    assert (made.price, made.reason) == (Decimal(2), "Halted")
    assert client.get(f"{OVERRIDES}{made.pk}/delete/").status_code == 403


def test_the_action_ends_them(client: Client, boss: User, ibm: Instrument, now: datetime) -> None:
    made = override_set(user=boss, ticker="IBM", price=Decimal(2), reason="Halted", now=now)
    client.post(OVERRIDES, {"action": "end", "_selected_action": [made.pk]})
    made.refresh_from_db()
    assert (made.ended_at, made.ended_by) == (now, boss)


def test_records_are_read_only(client: Client, ibm: Instrument, now: datetime) -> None:
    close = Close.objects.create(instrument=ibm, session=now.date(), source="manual", close=1)
    quote = Quote.objects.create(instrument=ibm, source="simulated", price=1, as_of=now)
    for name, row in (("close", close), ("quote", quote)):
        address = f"/admin/prices/{name}/"
        assert client.get(address).status_code == 200
        assert client.get(f"{address}{row.pk}/change/").status_code == 200
        assert client.post(f"{address}{row.pk}/change/", {"price": 2}).status_code == 403
    assert client.get("/admin/prices/quote/add/").status_code == 403


@pytest.mark.parametrize(
    "name",
    ["prices/instrument", "prices/sessionoverride", "accounts/account", "accounts/entitlement"],
)
def test_every_list_and_form_opens(client: Client, name: str) -> None:
    assert client.get(f"/admin/{name}/").status_code == 200
    assert client.get(f"/admin/{name}/add/").status_code == 200


CLOSES = "/admin/prices/close/"


def close_form(instrument: Instrument, **changed: str) -> dict[str, Any]:
    given = {"session": "2026-01-29", "close": "143.33", "reason": "Exchange's correction"}
    return {"instrument": instrument.pk, **given, **changed}


def test_a_close_is_entered_by_hand_with_a_reason(
    client: Client, boss: User, ibm: Instrument
) -> None:
    Close.objects.create(instrument=ibm, session="2026-01-29", close=140, source="simulated")
    response = client.post(f"{CLOSES}add/", close_form(ibm))
    assert response.status_code == 302, response.context["adminform"].form.errors
    entered = Close.objects.get(source="manual")
    assert (str(entered.close), entered.user, entered.reason) == (
        "143.33", boss, "Exchange's correction",
    )  # fmt: skip
    page = client.get(CLOSES).content.decode()
    assert "Exchange&#x27;s correction" in page
    assert f"add/?instrument={ibm.pk}&amp;session=2026-01-29&amp;close=143.33" in page


def test_a_correction_is_a_further_row(client: Client, ibm: Instrument) -> None:
    client.post(f"{CLOSES}add/", close_form(ibm))
    client.post(f"{CLOSES}add/", close_form(ibm, close="143.34", reason="Typed wrongly"))
    found = Close.objects.order_by("id").values_list("close", "reason")
    assert list(found) == [
        (Decimal("143.33"), "Exchange's correction"),
        (Decimal("143.34"), "Typed wrongly"),
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"close": "0"},
        {"close": "1.12345678901"},
        {"reason": " "},
        {"session": "2026-01-31"},  # a Saturday
        {"session": "2026-01-30"},  # still trading
    ],
)
def test_a_close_that_is_refused_is_an_error_in_the_form(
    client: Client, ibm: Instrument, changed: dict[str, str]
) -> None:
    response = client.post(f"{CLOSES}add/", close_form(ibm, **changed))
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    assert not Close.objects.exists()


def test_a_close_is_never_edited(client: Client, ibm: Instrument) -> None:
    client.post(f"{CLOSES}add/", close_form(ibm))
    close = Close.objects.get()
    assert client.post(f"{CLOSES}{close.pk}/change/", close_form(ibm)).status_code == 403
    assert client.post(f"{CLOSES}{close.pk}/delete/", {"post": "yes"}).status_code == 403


def test_an_instrument_is_added_by_hand(client: Client) -> None:
    given = {"ticker": "BF.B", "name": "Brown-Forman", "exchange": "XNYS", "currency": "USD"}
    response = client.post("/admin/prices/instrument/add/", {**given, "is_active": "on"})
    assert response.status_code == 302, response.context["adminform"].form.errors
    assert Instrument.objects.get(ticker="BF.B").yahoo_symbol == "BF-B"
    response = client.post("/admin/prices/instrument/add/", {**given, "ticker": "bf b"})
    assert response.status_code == 200


@pytest.mark.parametrize("model", ["closerun", "sourcestate", "sourcefailure"])
def test_the_records_of_fetching_can_be_looked_at(client: Client, model: str) -> None:
    assert client.get(f"/admin/prices/{model}/").status_code == 200
    assert client.get(f"/admin/prices/{model}/add/").status_code == 403


HOURS = {"date": "2026-01-30", "reason": "Storm"}
IN_HOURS = "after 9:30 and not after 16:00, New York time; 1 p.m. is 13:00"


@pytest.mark.parametrize("typed", ["1:00", "09:30", "16:01", "0:00"])
def test_an_early_close_outside_the_hours_is_refused_in_words(client: Client, typed: str) -> None:
    """At 11:00 one at 1:00 would have ended the session, and made closes of running prices."""
    answer = client.post("/admin/prices/sessionoverride/add/", {**HOURS, "early_close": typed})
    assert answer.status_code == 200
    assert IN_HOURS in answer.content.decode()
    assert not SessionOverride.objects.exists()
    with pytest.raises(IntegrityError, match="session_override_in_hours"), transaction.atomic():
        SessionOverride.objects.create(**HOURS, early_close=typed)


@pytest.mark.parametrize("typed", ["9:31", "13:00", "16:00"])
def test_an_early_close_within_the_hours_is_taken(client: Client, typed: str) -> None:
    answer = client.post("/admin/prices/sessionoverride/add/", {**HOURS, "early_close": typed})
    assert answer.status_code == 302
    assert SessionOverride.objects.count() == 1


def test_a_day_is_closed_or_ends_early_and_is_told_so(client: Client) -> None:
    both = {**HOURS, "early_close": "13:00", "is_closed": "on"}
    answer = client.post("/admin/prices/sessionoverride/add/", both)
    assert "A day is either closed or has an early close." in answer.content.decode()
    assert (
        client.post("/admin/prices/sessionoverride/add/", {**HOURS, "is_closed": "on"}).status_code
        == 302
    )
