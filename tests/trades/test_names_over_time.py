"""Files and bookings of then name instruments as they were named then."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest

from kernel.clock import clock_set
from prices.models import Instrument
from prices.services.instruments import instrument_rename
from tests import factories as make
from tests.trades.conftest import NOW, TODAY, Desk
from tests.trades.importing import counts, imported, lines, reasons
from trades.models import Trade

BEFORE = date(2026, 3, 16)
HEADER = "ticker,account,side,quantity,price,trade_date,client_trade_id"


@pytest.fixture
def renamed(desk: Desk) -> Iterator[Instrument]:
    """CPB, of which 5 were bought, is CPBX since today."""
    with clock_set(NOW):
        shares = make.make_instrument("CPB")
        first = {
            "account": "Test1", "ticker": "CPB", "side": "buy", "quantity": "5", "price": "40",
            "client_trade_id": "ren-1", "trade_date": str(BEFORE),
        }  # fmt: skip
        assert desk.client().post("/api/v1/trades/", first, format="json").status_code == 201
        yield instrument_rename(old=shares.ticker, new="CPBX", since=TODAY)


def test_an_old_file_after_a_rename(desk: Desk, renamed: Instrument) -> None:
    job = imported(
        desk,
        lines(
            f"CPB,Test1,buy,5,40,{BEFORE},ren-1",
            "CPB,Test1,buy,3,41,2026-03-13,ren-2",
            f"CPB,Test1,buy,1,41,{TODAY},ren-3",
            header=HEADER,
        ),
    )
    # ren-1 was booked before, ren-2 is new, and today CPB means nothing any more.
    assert counts(job)[:2] == ("done", 3)
    said = reasons(desk, job["id"])
    assert set(said) == {2, 4}
    assert "booked trade" in said[2]
    assert "CPB is CPBX after 2026-03-17" in said[4]
    trades = Trade.objects.filter(instrument=renamed)
    assert {(t.client_trade_id, t.quantity) for t in trades} == {("ren-1", 5), ("ren-2", 3)}
    # 8 held at 323.
    assert sum(t.quantity * t.price for t in trades) == Decimal(323)


def test_a_booking_says_what_it_meant(desk: Desk, renamed: Instrument) -> None:
    body = {"account": "Test1", "ticker": "CPB", "side": "buy", "quantity": "1", "price": "40"}
    answer = desk.client().post("/api/v1/trades/", body, format="json")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "unknown_ticker"
    body["trade_date"] = str(BEFORE)
    answer = desk.client().post("/api/v1/trades/", body, format="json")
    assert (answer.status_code, answer.json()["ticker"]) == (201, "CPBX")


def test_a_retry_under_the_old_or_new_name_is_the_same_trade(
    desk: Desk, renamed: Instrument
) -> None:
    first = Trade.objects.get()
    for ticker in ("CPB", "CPBX"):
        body = {
            "account": "Test1", "ticker": ticker, "side": "buy", "quantity": "5.0", "price": "40",
            "client_trade_id": "ren-1", "trade_date": str(BEFORE),
        }  # fmt: skip
        answer = desk.client().post("/api/v1/trades/", body, format="json")
        assert (answer.status_code, answer.json()["id"]) == (200, str(first.pk)), answer.json()
        # A default that is sent is the same terms, with another hash.
        answer = desk.client().post("/api/v1/trades/", {**body, "note": ""}, format="json")
        assert (answer.status_code, answer.json()["id"]) == (200, str(first.pk)), answer.json()
        body["executed_at"] = "2026-03-16T15:00:00Z"
        assert desk.client().post("/api/v1/trades/", body, format="json").status_code == 409


def test_the_old_ticker_of_one_that_another_has_now(desk: Desk, renamed: Instrument) -> None:
    """What is found for a booking of today must not be found for one of then."""
    other = make.make_instrument("CPB")
    body = {"account": "Test1", "ticker": "CPB", "side": "buy", "quantity": "1", "price": "40"}
    for day, means in ((BEFORE, renamed), (TODAY, other)):
        answer = desk.client().post(
            "/api/v1/trades/", {**body, "trade_date": str(day)}, format="json"
        )
        assert answer.json()["ticker"] == means.ticker


def test_the_history_of_a_delisted_name_is_booked_and_closed(desk: Desk) -> None:
    with clock_set(NOW):
        Instrument.objects.create(
            ticker="TWTR", yahoo_symbol="TWTR", is_active=False, inactive_since=date(2022, 10, 28)
        )
        job = imported(
            desk,
            lines(
                "TWTR,Test1,buy,10,45,2022-10-26,",
                "TWTR,Test1,buy,5,53.70,2022-10-28,",
                "TWTR,Test1,sell,4,53.70,2022-10-27,",
                "TWTR,Test1,sell,6,54.20,2022-11-08,",
                header=HEADER,
            ),
        )
    assert counts(job) == ("done", 4, 3, 1)
    assert "can only be closed out" in reasons(desk, job["id"])[3]
    bought = sum(t.quantity if t.side == "buy" else -t.quantity for t in Trade.objects.all())
    assert bought == 0


def test_an_amendment_names_as_of_its_date(desk: Desk, renamed: Instrument) -> None:
    ibm = {"account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1", "price": "40"}
    booked = (
        desk.client()
        .post("/api/v1/trades/", {**ibm, "trade_date": str(BEFORE)}, format="json")
        .json()
    )
    change = {"version": 1, "reason": "wrong name", "ticker": "CPB"}
    corrector = make.make_user("corrector")
    make.entitle(corrector, desk.account, correct=True)
    corrected = make.client_of(corrector).patch(
        f"/api/v1/trades/{booked['id']}/", change, format="json"
    )
    assert (corrected.status_code, corrected.json()["ticker"]) == (200, "CPBX"), corrected.json()
