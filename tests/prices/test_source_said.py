"""Made-up prices are said to be, with every answer and on every page of the admin."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


CALLS = ("trades/", "positions/", "pnl/", "pnl/intraday/", "prices/", "accounts/", "nowhere/")


def test_every_answer_names_its_source(staff: Client, settings: Any) -> None:
    for source, said in (("simulated", "SIMULATED"), ("yahoo", "yahoo")):
        settings.PRICE_SOURCE = source
        for call in CALLS:
            assert staff.get(f"/api/v1/{call}")["X-Price-Source"] == said, call


@pytest.mark.parametrize("page", ["/admin/", "/admin/trades/trade/", "/admin/blotter/pnlday/"])
def test_the_admin_says_so(staff: Client, settings: Any, page: str) -> None:
    mark = ">SIMULATED</strong>"
    settings.PRICE_SOURCE = "simulated"
    assert mark in staff.get(page).content.decode()
    settings.PRICE_SOURCE = "yahoo"
    assert mark not in staff.get(page).content.decode()
