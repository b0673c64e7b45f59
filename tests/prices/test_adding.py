"""Listed names outside the index are added by staff, and booked at once."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from rest_framework.test import APIClient

from kernel.clock import clock_set
from prices.models import Instrument
from prices.names import instrument_on
from prices.selectors import priced_ids
from prices.services.instruments import instrument_rename
from tests import factories as make
from tests.trades.conftest import NOW

URL = "/api/v1/instruments/"
ETFS = ("SPY", "VTI", "BND", "QQQ", "GLD", "TSM", "SHOP")


@pytest.fixture
def client(db: None) -> APIClient:
    user = make.make_user("middleoffice", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="add_instrument"))
    make.entitle(user, make.make_account("Test3"), book=True)
    return make.client_of(user)


def test_the_names_of_a_brokers_file_are_added_and_booked(client: APIClient) -> None:
    for ticker in ETFS:
        answer = client.post(URL, {"ticker": ticker, "exchange": "ARCX"}, format="json")
        assert answer.status_code == 201, answer.json()
        assert answer.json() == {
            "ticker": ticker, "name": "", "exchange": "ARCX", "currency": "USD", "is_active": True,
        }  # fmt: skip
    with clock_set(NOW):
        for ticker in ETFS:
            trade = {
                "account": "Test3", "ticker": ticker, "side": "buy", "quantity": "1", "price": "70",
            }  # fmt: skip
            assert client.post("/api/v1/trades/", trade, format="json").status_code == 201
        # What is traded of late is priced.
        added = set(Instrument.objects.values_list("pk", flat=True))
        assert added <= priced_ids(NOW)


def test_yahoo_writes_a_class_with_a_hyphen_unless_told_otherwise(client: APIClient) -> None:
    client.post(URL, {"ticker": "BF.A"}, format="json")
    client.post(URL, {"ticker": "RDS", "yahoo_symbol": "SHEL"}, format="json")
    found = dict(Instrument.objects.values_list("ticker", "yahoo_symbol"))
    assert found == {"BF.A": "BF-A", "RDS": "SHEL"}


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"ticker": "IBM"}, ("taken", "ticker")),
        ({"ticker": "spy"}, ("invalid", "ticker")),
        ({"ticker": "KO   261218C00070000"}, ("max_length", "ticker")),
        ({"ticker": ""}, ("blank", "ticker")),
        ({"ticker": "SPY", "exchange": "XLON"}, ("invalid_choice", "exchange")),
        ({"ticker": "SPY", "currency": "GBP"}, ("unknown_field", "currency")),
    ],
)
def test_what_makes_no_sense_is_refused(
    client: APIClient,
    make_instrument: Callable[..., Instrument],
    body: dict[str, Any],
    wrong: tuple[str, str],
) -> None:
    make_instrument("IBM")
    answer = client.post(URL, body, format="json")
    assert answer.status_code == 400
    assert [(e["code"], e["attr"]) for e in answer.json()["errors"]] == [wrong]
    assert Instrument.objects.count() == 1


def test_a_former_ticker_may_be_another_shares_now(client: APIClient) -> None:
    client.post(URL, {"ticker": "FB"}, format="json")
    meta = instrument_rename(old="FB", new="META", since=date(2022, 6, 9))
    assert client.post(URL, {"ticker": "FB"}, format="json").status_code == 201
    assert instrument_on("FB", date(2022, 6, 8)) == meta
    assert instrument_on("FB", date(2022, 6, 9)) == Instrument.objects.get(ticker="FB")
