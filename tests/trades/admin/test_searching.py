"""The list finds trades by what people know of them."""

from typing import Any

import pytest
from django.test import Client

from tests.trades.admin.conftest import LIST, listed
from tests.trades.conftest import Desk
from trades.admin import searching
from trades.models import Trade

SEARCHES: list[tuple[dict[str, str], str]] = [
    ({}, "abcde"),
    ({"q": "Test1"}, "abd"),
    ({"q": "test1 ibm"}, "ad"),
    ({"q": "XOM IBM"}, "abcde"),
    ({"q": "trader"}, "abe"),
    ({"q": "user:clerk Test2"}, "c"),
    ({"q": "2026-03-16"}, "bc"),
    ({"q": "2026-03-17..2026-03-18 IBM"}, "ad"),
    ({"q": "date:2026-03-16 account:Test1"}, "b"),
    ({"q": "2026-13-45"}, ""),
    ({"q": "nothing"}, ""),
    ({"q": "Test1 nothing"}, ""),
    ({"q": "trader clerk"}, ""),
    ({"q": "user:"}, ""),
    ({"account": "Test1", "q": "Test2"}, ""),
    ({"account": "Nope"}, ""),
    ({"account": "Test2"}, "c"),
    ({"status": "live"}, "abcd"),
    ({"status": "cancelled"}, "e"),
    ({"traded": "1"}, "ade"),
    ({"traded": "5"}, "abcde"),
]


def test_a_search_lists_the_trades_that_fit_and_no_others(
    client: Client, many: dict[str, Trade]
) -> None:
    for query, expected in SEARCHES:
        assert listed(client, **query) == {str(many[name].pk) for name in expected}, query


@pytest.mark.parametrize(
    "query",
    [{"traded": "²"}, {"traded": "5" * 5000}, {"traded": "05000000"}, {"traded": "-1"},
     {"q": "\x00"}, {"q": "user:\x00"}, {"status": "\x00"}, {"account": "\x00"}],
    ids=lambda query: repr(query)[:30],
)  # fmt: skip
def test_parameters_that_were_typed(client: Client, trade: Trade, query: dict[str, str]) -> None:
    for path in ("", "export/csv/", "export/xlsx/"):
        answer: Any = client.get(LIST + path, query)
        assert answer.status_code == 200, (path, query)
        if answer.streaming:
            assert b"".join(answer.streaming_content)


def test_search_by_id_group_and_the_callers_id(
    desk: Desk, client: Client, many: dict[str, Trade]
) -> None:
    grouped = Trade.objects.get(pk=many["d"].pk)
    assert listed(client, q=str(grouped.pk)) == {str(grouped.pk)}
    assert listed(client, q=f"group:{grouped.request_group_id}") == {str(grouped.pk)}
    assert listed(client, q=f"{grouped.request_group_id} Test2") == set()
    body = {
        "account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "1",
        "client_trade_id": "desk-7",
    }  # fmt: skip
    booked = desk.client().post("/api/v1/trades/", body, format="json").json()
    assert listed(client, q="desk-7") == {booked["id"]}


def test_a_long_list_says_that_there_is_more(
    client: Client, many: dict[str, Trade], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MAX_LISTED", 3)
    monkeypatch.setattr("trades.admin.trades.MAX_LISTED", 3)
    page = client.get(LIST)
    assert [str(t.pk) for t in page.context["cl"].result_list] == [
        str(many[name].pk) for name in "edc"
    ]
    assert "The newest 3 trades that fit are listed." in page.content.decode()
