"""Prices that are held back, over REST and in the admin; prices by hand that are asked about."""

import io
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from kernel.clock import clock_set
from kernel.models import Confirmation
from prices.closes.write import close_enter, closes_record
from prices.models import Close, CloseDoubt, Instrument, PriceOverride, Quote
from prices.quotes.write import quotes_keep
from prices.sources import SourceQuote
from tests import factories as make

DOUBTS, OVERRIDES = "/api/v1/prices/doubts/", "/api/v1/prices/overrides/"
WEDNESDAY, THURSDAY = date(2026, 1, 28), date(2026, 1, 29)
D = Decimal


@pytest.fixture(autouse=True)
def _at(now: datetime, settings: Any) -> Iterator[None]:
    settings.PRICE_SOURCE = "yahoo"
    with clock_set(now):
        yield


@pytest.fixture
def api(staff: User) -> APIClient:
    return make.client_of(staff)


@pytest.fixture
def held(ibm: Instrument, aapl: Instrument, now: datetime) -> list[int]:
    """IBM's close of Thursday at a tenth, and AAPL's at twice, are held back."""
    for instrument in (ibm, aapl):
        make.make_close(instrument, WEDNESDAY, "100", "yahoo")
    rows = [(ibm.pk, THURSDAY, D(10)), (aapl.pk, THURSDAY, D(200))]
    assert closes_record(rows, "yahoo", only_missing=True, now=now) == 0
    return list(CloseDoubt.objects.order_by("id").values_list("pk", flat=True))


def test_they_are_listed_newest_first(api: APIClient, held: list[int], now: datetime) -> None:
    rows = api.get(DOUBTS).json()["results"]
    assert [row["id"] for row in rows] == held[::-1]
    assert rows[1] == {
        "id": held[0], "ticker": "IBM", "session": "2026-01-29", "kind": "moved", "price": "10",
        "compared_with": "100", "split": "10:1", "source": "yahoo", "as_of": None,
        "raised_at": "2026-01-30T16:00:00Z", "state": "held", "decided_at": None,
        "decided_by": None, "reason": "",
    }  # fmt: skip
    for query, count in (({"ticker": "IBM"}, 1), ({"state": "refused"}, 0), ({"state": "held"}, 2)):
        assert len(api.get(DOUBTS, query).json()["results"]) == count
    assert api.get(DOUBTS, {"state": "gone"}).status_code == 400


def test_a_page_of_them_reads_no_others(api: APIClient, held: list[int], ibm: Instrument) -> None:
    """They are never deleted."""
    now = CloseDoubt.objects.get(pk=held[0]).raised_at
    more = CloseDoubt.objects.bulk_create(
        CloseDoubt(
            instrument=ibm, session=WEDNESDAY - timedelta(days=n), source="yahoo", kind="moved",
            price=1, compared_with=2, raised_at=now,
        )
        for n in range(1, 31)
    )  # fmt: skip
    ids = sorted([*held, *(doubt.pk for doubt in more)], reverse=True)
    found, address, pages = [], f"{DOUBTS}?page_size=9", []
    while address:
        with CaptureQueriesContext(connection) as queries:
            page = api.get(address).json()
        read = [q["sql"] for q in queries if "prices_closedoubt" in q["sql"]]
        assert len(read) == 1
        assert "LIMIT 10" in read[0]
        found += [row["id"] for row in page["results"]]
        pages.append(page)
        address = page["next"]
    assert found == ids
    assert [len(page["results"]) for page in pages] == [9, 9, 9, 5]
    assert pages[0]["previous"] is None
    back = api.get(pages[-1]["previous"]).json()
    assert back["results"] == pages[2]["results"]
    back = api.get(api.get(back["previous"]).json()["previous"]).json()
    assert (back["results"], back["previous"]) == (pages[0]["results"], None)
    for cursor in ("x", "WyJ4Il0="):
        assert api.get(DOUBTS, {"after": cursor}).status_code == 400


def test_all_selected_are_decided_at_once(api: APIClient, held: list[int], staff: User) -> None:
    body = {"ids": held, "reason": "a split and a takeover"}
    for _ in range(2):  # the second call is harmless
        answer = api.post(f"{DOUBTS}release/", body, format="json")
        assert answer.status_code == 200, answer.json()
        assert {row["state"] for row in answer.json()} == {"released"}
        assert {row["decided_by"] for row in answer.json()} == {"staff"}
    assert sorted(Close.objects.filter(session=THURSDAY).values_list("close", "source")) == [
        (10, "yahoo"), (200, "yahoo"),
    ]  # fmt: skip
    refused = api.post(f"{DOUBTS}refuse/", body, format="json")
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "already_decided")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"ids": [0]}, ("unknown", "ids")),
        ({"ids": []}, ("min_length", "ids")),
        ({"reason": " "}, ("blank", "reason")),
        ({"ids": ["1"]}, ("invalid", "ids.0")),
        ({"more": 1}, ("unknown_field", "more")),
    ],
)
def test_all_or_none(
    api: APIClient, held: list[int], body: dict[str, Any], wrong: tuple[str, str]
) -> None:
    given = {"ids": held, "reason": "x", **body}
    if body.get("ids") == [0]:
        given["ids"] = [*held, 0]
    answer = api.post(f"{DOUBTS}refuse/", given, format="json")
    assert answer.status_code == 400
    assert [(e["code"], e["attr"]) for e in answer.json()["errors"]] == [wrong]
    assert set(CloseDoubt.objects.values_list("state", flat=True)) == {"held"}


def test_what_a_person_enters_overtakes_it(
    staff: User, held: list[int], ibm: Instrument, now: datetime
) -> None:
    close_enter(
        user=staff, ticker="IBM", session=THURSDAY, close=D("99.50"), reason="the tape", now=now
    )
    ibms, aapls = CloseDoubt.objects.order_by("id")
    assert (ibms.state, ibms.decided_by, ibms.reason) == (
        "overtaken", None, "A close was set by hand.",
    )  # fmt: skip
    assert aapls.state == "held"


def test_the_admin_decides_those_selected(client: Client, held: list[int], db: None) -> None:
    boss = make.make_user("boss", is_staff=True, is_superuser=True)
    client.force_login(boss)
    page = "/admin/prices/closedoubt/"
    listed = client.get(page).content.decode()
    assert "IBM" in listed
    assert 'name="reason"' in listed
    sent: dict[str, Any] = {"action": "refuse", "_selected_action": held, "reason": ""}
    answer = client.post(page, sent, follow=True)
    assert "Say why." in answer.content.decode()
    answer = client.post(page, {**sent, "reason": "not so"}, follow=True)
    assert "2 refused." in answer.content.decode()
    assert set(CloseDoubt.objects.values_list("state", "reason", "decided_by__username")) == {
        ("refused", "not so", "boss")
    }
    assert client.get(f"{page}{held[0]}/change/").status_code == 200
    assert client.post(f"{page}{held[0]}/change/", {"state": "held"}).status_code == 403


def test_metrics_count_what_waits(client: Client, held: list[int]) -> None:
    client.force_login(make.make_user("ops", is_staff=True))
    text = client.get("/metrics").content.decode()
    assert 'eqtrade_prices_held_back{kind="moved"} 2.0' in text
    assert 'eqtrade_prices_held_back{kind="quote"} 0.0' in text


# --- what they cost -------------------------------------------------------------------------------


def test_a_refresh_of_503_names_is_one_statement(
    make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    instruments = Instrument.objects.bulk_create(
        Instrument(ticker=f"T{n}", yahoo_symbol=f"T{n}", indices=["S&P 500"]) for n in range(503)
    )
    for minute, price, changed in ((0, "100", 503), (1, "101", 503), (2, "200", 0)):
        at = now + timedelta(minutes=minute)
        quotes = [SourceQuote(i.ticker, D(price), at) for i in instruments]
        with CaptureQueriesContext(connection) as asked:
            assert quotes_keep("yahoo", instruments, quotes) == changed
        own = [q["sql"] for q in asked if "SAVEPOINT" not in q["sql"]]
        assert len(own) == 1, own
    assert CloseDoubt.objects.filter(state="held", kind="quote").count() == 503


def test_a_piece_of_closes_is_few_statements(
    make_instrument: Callable[..., Instrument], now: datetime
) -> None:
    instruments = [make_instrument(f"T{n}") for n in range(50)]
    before = [(i.pk, WEDNESDAY, D(100)) for i in instruments]
    closes_record(before, "yahoo", only_missing=True, now=now)
    rows = [(i.pk, THURSDAY, D(101)) for i in instruments]
    with CaptureQueriesContext(connection) as asked:
        assert closes_record(rows, "yahoo", only_missing=True, now=now) == 50
    own = [q["sql"] for q in asked if "SAVEPOINT" not in q["sql"]]
    # The lock, what was recorded, the closes before, the doubts, which corporate actions count (for
    # whoever compares, and for whoever restates), the closes, the calendar, and what is to be
    # restated.
    assert len(own) == 9, own


# --- by hand --------------------------------------------------------------------------------------


@pytest.fixture
def at_324(ibm: Instrument, now: datetime) -> Instrument:
    Quote.objects.create(instrument=ibm, source="yahoo", price=324, as_of=now)
    make.make_close(ibm, THURSDAY, "320", "yahoo")
    return ibm


def test_an_override_far_off_is_asked_about(api: APIClient, at_324: Instrument) -> None:
    body = {"ticker": "IBM", "price": "0.0203", "reason": "typed"}
    asked = api.post(OVERRIDES, body, format="json")
    assert asked.status_code == 409
    answer = asked.json()
    assert set(answer) == {"type", "errors", "confirm"}
    assert (answer["type"], answer["errors"]) == (
        "confirmation_required",
        [{"code": "far_off", "detail": "0.0203 is 100% below the last price, 324.",
          "attr": "price"}],
    )  # fmt: skip
    assert not PriceOverride.objects.exists()
    other = api.post(OVERRIDES, {**body, "price": "0.02", "confirm": answer["confirm"]}, "json")
    assert other.status_code == 409
    for status in (201, 409):
        done = api.post(OVERRIDES, {**body, "confirm": answer["confirm"]}, format="json")
        assert done.status_code == status, done.json()
    assert PriceOverride.objects.get().price == D("0.0203")
    assert Confirmation.objects.get().codes == ["far_off"]


@pytest.mark.parametrize("price", ["300", "162", "486"])
def test_one_that_is_near_is_not(api: APIClient, at_324: Instrument, price: str) -> None:
    answer = api.post(OVERRIDES, {"ticker": "IBM", "price": price, "reason": "x"}, format="json")
    assert answer.status_code == 201, answer.json()


def test_one_near_the_last_close_is_not(api: APIClient, ibm: Instrument, now: datetime) -> None:
    """A quote may be what is wrong."""
    Quote.objects.create(instrument=ibm, source="yahoo", price=32_400, as_of=now)
    make.make_close(ibm, THURSDAY, "320", "manual")
    answer = api.post(OVERRIDES, {"ticker": "IBM", "price": "324", "reason": "x"}, format="json")
    assert answer.status_code == 201, answer.json()


def test_the_admin_asks_too(client: Client, at_324: Instrument) -> None:
    client.force_login(make.make_user("boss", is_staff=True, is_superuser=True))
    make.make_close(at_324, WEDNESDAY, "1200", "yahoo")
    by_hand = Close.objects.filter(user__isnull=False)
    for page, given, made in (
        ("priceoverride", {"price": "0.0203"}, PriceOverride.objects.all()),
        ("close", {"session": str(WEDNESDAY), "close": "120"}, by_hand),
    ):
        sent = {"instrument": at_324.pk, "reason": "typed", "confirm": "", **given}
        url = f"/admin/prices/{page}/add/"
        asked = client.post(url, sent)
        assert asked.status_code == 200
        assert "Save again to confirm." in asked.content.decode()
        assert not made.exists()
        token = asked.context["adminform"].form["confirm"].value()
        assert client.post(url, {**sent, "confirm": token}).status_code == 302
        assert made.count() == 1


def test_load_closes_loads_and_warns(
    ibm: Instrument, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "closes.csv"
    file.write_text(
        "ticker,session,close\nIBM,2026-01-27,119\nIBM,2026-01-28,12000\nIBM,2026-01-29,12001\n"
    )
    err = io.StringIO()
    call_command("load_closes", str(file), stderr=err)
    assert err.getvalue().splitlines() == [
        f"{file}: warning: line 3: IBM 2026-01-28: 12000 is 101 times the close before, 119."
    ]
    assert Close.objects.count() == 3
    file.write_text("ticker,session,close\nIBM,2026-01-28,120\n")
    err = io.StringIO()
    call_command("load_closes", str(file), stderr=err)
    assert "120 is 99% below what is recorded, 12000." in err.getvalue()


def test_load_quotes_warns_too(at_324: Instrument, tmp_path: Any) -> None:
    file = tmp_path / "quotes.csv"
    file.write_text("ticker,as_of,price\nIBM,2026-01-30T10:59:00-05:00,3.24\n")
    err = io.StringIO()
    call_command("load_quotes", str(file), stderr=err)
    assert "line 2: IBM: 3.24 is 99% below the last price, 324." in (err.getvalue())
    assert Quote.objects.filter(source="manual").exists()
