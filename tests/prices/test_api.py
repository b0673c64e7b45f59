"""Instruments, prices, closes and overrides over HTTP."""

import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from blotter.rows import price_rows, today_at
from kernel import clock
from prices.closes.write import closes_load
from prices.models import Close, Instrument, PriceOverride, Quote

pytestmark = pytest.mark.django_db

PRICES, CLOSES, OVERRIDES = "/api/v1/prices/", "/api/v1/prices/closes/", "/api/v1/prices/overrides/"


@pytest.fixture(autouse=True)
def frozen(now: datetime) -> Any:
    with clock.clock_set(now):
        yield


def client_of(user: User | None) -> APIClient:
    client = APIClient()
    if user is not None:
        client.force_authenticate(user)
    return client


@pytest.fixture
def client(db: None) -> APIClient:
    return client_of(User.objects.create_user("reader"))


@pytest.fixture
def staff_client(staff: User) -> APIClient:
    return client_of(staff)


def errors(response: Any) -> list[tuple[str, str | None]]:
    return [(e["code"], e["attr"]) for e in response.json()["errors"]]


def load(now: datetime, *rows: str) -> None:
    closes_load(lines=io.StringIO("\n".join(["ticker,session,close", *rows])), now=now)


@pytest.mark.parametrize("path", ["/api/v1/instruments/", PRICES, CLOSES])
def test_a_stranger_gets_401(path: str) -> None:
    assert client_of(None).get(path).status_code == 401


def test_instruments_have_the_contracts_fields(client: APIClient, ibm: Instrument) -> None:
    assert client.get("/api/v1/instruments/").json() == {
        "next": None,
        "previous": None,
        "results": [
            {
                "ticker": "IBM",
                "name": "International Business Machines",
                "exchange": "XNYS",
                "currency": "USD",
                "is_active": True,
            }
        ],
    }


def test_search_finds_tickers_by_beginning_and_names_by_part(
    client: APIClient, make_instrument: Callable[..., Instrument]
) -> None:
    make_instrument("MA", name="Mastercard")
    make_instrument("AMAT", name="Applied Materials")
    make_instrument("MAR", name="Marriott")
    make_instrument("A", name="Agilent")
    make_instrument("WMT", name="Walmart")

    def found(search: str) -> list[str]:
        rows = client.get("/api/v1/instruments/", {"search": search}).json()["results"]
        return [row["ticker"] for row in rows]

    assert found("MA") == ["MA", "MAR", "AMAT", "WMT"]
    assert found("ma") == ["MA", "MAR", "AMAT", "WMT"]
    assert found("%") == []
    assert found("") == ["A", "AMAT", "MA", "MAR", "WMT"]


def test_pages_follow_each_other(
    client: APIClient, make_instrument: Callable[..., Instrument]
) -> None:
    for ticker in ("A", "B", "C"):
        make_instrument(ticker)
    first = client.get("/api/v1/instruments/", {"page_size": "2"}).json()
    assert [row["ticker"] for row in first["results"]] == ["A", "B"]
    second = client.get(first["next"]).json()
    assert [row["ticker"] for row in second["results"]] == ["C"]
    assert second["next"] is None


def test_unknown_parameters_are_refused(client: APIClient) -> None:
    response = client.get(PRICES, {"tickers": "IBM"})
    assert response.status_code == 400
    assert errors(response) == [("unknown_field", "tickers")]


def test_a_price_row_has_mark_age_source_and_previous_close(
    client: APIClient, ibm: Instrument, now: datetime
) -> None:
    Quote.objects.create(
        instrument=ibm, source="simulated", price="144.07", as_of=now - timedelta(seconds=3)
    )
    load(now, "IBM,2026-01-28,1", "IBM,2026-01-29,143.33")
    assert client.get(PRICES).json()["results"] == [
        {
            "ticker": "IBM",
            "price": "144.07",
            "as_of": "2026-01-30T15:59:57Z",
            "age_seconds": 3,
            "stale": False,
            "source": "simulated",
            "override": False,
            "doubtful": False,
            "previous_close": "143.33",
        }
    ]


def test_a_missing_price_is_null_not_left_out(client: APIClient, ibm: Instrument) -> None:
    (row,) = client.get(PRICES).json()["results"]
    assert (row["ticker"], row["price"], row["as_of"], row["age_seconds"]) == (
        "IBM", None, None, None,
    )  # fmt: skip


def test_prices_of_named_tickers_whether_priced_or_not(
    client: APIClient, ibm: Instrument, make_instrument: Callable[..., Instrument]
) -> None:
    make_instrument("LEFT", indices=[])

    def tickers(**query: Any) -> list[str]:
        return [row["ticker"] for row in client.get(PRICES, query).json()["results"]]

    assert tickers() == ["IBM"]
    assert tickers(ticker=["LEFT", "IBM", "NOPE"]) == ["IBM", "LEFT"]


def test_closes_of_the_active_source_are_listed_the_latest_of_each(
    client: APIClient, ibm: Instrument, aapl: Instrument, now: datetime
) -> None:
    thursday = date(2026, 1, 29)
    Close.objects.create(instrument=ibm, session=thursday, source="simulated", close="150")
    Close.objects.create(instrument=ibm, session=thursday, source="yahoo", close="160")
    Close.objects.create(instrument=aapl, session=thursday, source="simulated", close="1")
    Close.objects.create(instrument=aapl, session=thursday, source="simulated", close="2")
    load(now, "IBM,2026-01-29,143.33", "IBM,2026-01-28,143")
    load(now, "IBM,2026-01-28,142")
    rows = client.get(CLOSES).json()["results"]
    assert [(r["session"], r["ticker"], r["close"], r["source"]) for r in rows] == [
        ("2026-01-28", "IBM", "142", "manual"),
        ("2026-01-29", "AAPL", "2", "simulated"),
        ("2026-01-29", "IBM", "143.33", "manual"),
    ]


def test_closes_by_ticker_and_dates(
    client: APIClient, ibm: Instrument, aapl: Instrument, now: datetime
) -> None:
    load(now, "IBM,2025-12-01,1", "IBM,2026-01-27,2", "IBM,2026-01-28,3", "AAPL,2026-01-28,4")

    def closes(**query: Any) -> list[str]:
        return [row["close"] for row in client.get(CLOSES, query).json()["results"]]

    assert closes() == ["2", "4", "3"]
    assert closes(ticker="IBM") == ["2", "3"]
    assert closes(**{"from": "2025-12-01", "to": "2026-01-27"}) == ["1", "2"]
    assert closes(**{"from": "2026-01-28", "to": "2026-01-28", "ticker": ["AAPL", "NOPE"]}) == ["4"]


def test_closes_default_to_the_last_eleven_sessions(
    client: APIClient, ibm: Instrument, now: datetime
) -> None:
    # Up to Friday 30 January: eleven sessions begin on the 15th, for the 19th was a holiday.
    load(now, "IBM,2026-01-14,1", "IBM,2026-01-15,2")
    assert [r["close"] for r in client.get(CLOSES).json()["results"]] == ["2"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"from": "2026-01-30", "to": "2026-01-29"}, [("invalid", "from")]),
        ({"from": "yesterday"}, [("malformed", "from")]),
        ({"from": "0001-01-01", "to": "0001-01-02"}, None),
        ({"to": "0001-01-02"}, None),
        ({"to": "9999-12-31"}, None),
    ],
)
def test_closes_of_odd_dates_are_empty_or_refused_by_field(
    client: APIClient, ibm: Instrument, query: dict[str, str], expected: list[Any] | None
) -> None:
    response = client.get(CLOSES, query)
    if expected is None:
        assert response.json()["results"] == []
    else:
        assert response.status_code == 400
        assert errors(response) == expected


def test_too_many_closes_at_once_are_refused(
    client: APIClient, make_instrument: Callable[..., Instrument]
) -> None:
    for number in range(10):
        make_instrument(f"T{number}")
    response = client.get(CLOSES, {"from": "1970-01-01"})
    assert response.status_code == 400
    assert errors(response) == [("too_many", "from")]
    assert client.get(CLOSES, {"from": "1970-01-01", "ticker": "T1"}).status_code == 200


BODY = {"ticker": "IBM", "price": "144.07", "reason": "Halted"}


def test_staff_sets_and_ends_an_override(
    staff_client: APIClient, client: APIClient, ibm: Instrument, staff: User, now: datetime
) -> None:
    made = staff_client.post(OVERRIDES, BODY, format="json")
    assert made.status_code == 201
    body = made.json()
    override = PriceOverride.objects.get()
    assert body["id"] == override.pk
    assert (body["ticker"], body["price"], body["user"]) == ("IBM", "144.07", "staff")
    assert (body["expires_at"], body["ended_at"]) == ("2026-02-02T05:00:00Z", None)
    (row,) = client.get(PRICES, {"ticker": "IBM"}).json()["results"]
    assert (row["price"], row["override"], row["source"]) == ("144.07", True, "manual")

    ended = staff_client.post(f"{OVERRIDES}{override.pk}/end/")
    assert ended.status_code == 200
    assert (ended.json()["ended_by"], ended.json()["ended_at"]) == ("staff", "2026-01-30T16:00:00Z")
    (row,) = client.get(PRICES, {"ticker": "IBM"}).json()["results"]
    assert (row["price"], row["override"]) == (None, False)


def test_the_overrides_that_count(
    staff_client: APIClient, ibm: Instrument, aapl: Instrument, now: datetime
) -> None:
    """Whoever set them; not those that were ended, replaced or have expired."""
    listed = [staff_client.post(OVERRIDES, BODY, format="json").json() for _ in range(2)][1:]
    for ticker in ("AAPL", "AAPL"):
        body = {**BODY, "ticker": ticker, "expires_at": "2026-01-30T17:00:00Z"}
        made = staff_client.post(OVERRIDES, body, format="json").json()
    assert staff_client.get(OVERRIDES).json()["results"] == [made, *listed]
    assert staff_client.get(OVERRIDES, {"ticker": "IBM"}).json()["results"] == listed
    assert staff_client.get(OVERRIDES, {"ticker": "NOPE"}).json()["results"] == []
    with clock.clock_set(now + timedelta(hours=1)):
        assert staff_client.get(OVERRIDES).json()["results"] == listed
    staff_client.post(f"{OVERRIDES}{listed[0]['id']}/end/")
    assert staff_client.get(OVERRIDES, {"ticker": "IBM"}).json()["results"] == []


def test_prices_reach_the_database_exactly(staff_client: APIClient, ibm: Instrument) -> None:
    staff_client.post(OVERRIDES, {**BODY, "price": "0.000001"}, format="json")
    assert PriceOverride.objects.get().price == Decimal("0.000001")


def test_who_has_the_permission_may_and_staff_without_it_may_not(
    client: APIClient, ibm: Instrument
) -> None:
    clerk = client_of(User.objects.create_user("clerk", is_staff=True))
    assert clerk.post(OVERRIDES, BODY, format="json").status_code == 403
    assert clerk.get(OVERRIDES).status_code == 403
    assert client.get(OVERRIDES).status_code == 403
    assert client.post(OVERRIDES, BODY, format="json").status_code == 403
    assert client.post(f"{OVERRIDES}1/end/").status_code == 403
    assert client_of(None).post(OVERRIDES, BODY, format="json").status_code == 401
    assert not PriceOverride.objects.exists()


@pytest.mark.parametrize(
    ("changed", "attr"),
    [
        ({"ticker": "NOPE"}, "ticker"),
        ({"price": "0"}, "price"),
        ({"price": "1e3"}, "price"),
        ({"reason": ""}, "reason"),
        ({"reason": "x" * 201}, "reason"),
        ({"reason": "a\u0000b"}, "reason"),
        ({"expires_at": "2026-01-30T15:00:00Z"}, "expires_at"),
        ({"expires_at": "2026-02-01T15:00:00"}, "expires_at"),
        ({"extra": 1}, "extra"),
    ],
)
def test_a_bad_override_is_refused_by_field(
    staff_client: APIClient, ibm: Instrument, changed: dict[str, Any], attr: str
) -> None:
    response = staff_client.post(OVERRIDES, {**BODY, **changed}, format="json")
    assert response.status_code == 400
    assert [a for _, a in errors(response)] == [attr]
    assert not PriceOverride.objects.exists()


@pytest.mark.parametrize("override_id", ["404", "99999999999999999999"])
def test_an_unknown_override_is_404(staff_client: APIClient, override_id: str) -> None:
    assert staff_client.post(f"{OVERRIDES}{override_id}/end/").status_code == 404


def test_ending_takes_no_fields(staff_client: APIClient, ibm: Instrument) -> None:
    made = staff_client.post(OVERRIDES, BODY, format="json").json()["id"]
    response = staff_client.post(f"{OVERRIDES}{made}/end/", {"now": True}, format="json")
    assert response.status_code == 400


def test_a_price_row_is_the_one_of_the_websocket(
    client: APIClient, ibm: Instrument, now: datetime
) -> None:
    Quote.objects.create(instrument=ibm, source="simulated", price="144.07", as_of=now)
    assert client.get(PRICES).json()["results"] == price_rows(today=today_at(now))


@pytest.mark.parametrize("path", ["/api/v1/instruments/", PRICES, CLOSES])
def test_the_schema_says_what_a_list_answers(client: APIClient, ibm: Instrument, path: str) -> None:
    schema = client.get("/api/v1/schema/?format=json").json()
    call = schema["paths"][path]["get"]
    page = call["responses"]["200"]["content"]["application/json"]["schema"]
    name = page["$ref"].rsplit("/", 1)[1]
    assert set(schema["components"]["schemas"][name]["properties"]) == set(client.get(path).json())
    documented = {parameter["name"] for parameter in call["parameters"]}
    assert {"page_size", "after", "before"} < documented
