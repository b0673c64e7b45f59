"""GET positions/: fields, sight, as of then, known then."""

from decimal import Decimal
from typing import Any

import pytest

from kernel.clock import clock_set
from tests import factories as make
from tests.blotter.conftest import MONDAY, NOW, TUESDAY, WEDNESDAY, Blotter

URL = "/api/v1/positions/"

FIELDS = {
    "account", "ticker", "session", "currency", "quantity", "average_cost", "price", "price_as_of",
    "mark_source", "price_source", "previous_close", "previous_close_as_traded", "market_value",
    "trade_pnl", "position_pnl", "action_pnl", "total_pnl", "fees", "net_pnl", "realized_pnl",
    "unrealized_pnl",
    "income", "actions", "pnl_valid", "pnl_reason", "updated_at",
}  # fmt: skip


def rows(blotter: Blotter, **query: Any) -> list[dict[str, Any]]:
    answer = make.client_of(blotter.user).get(URL, query)
    assert answer.status_code == 200, answer.content
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def quantities(blotter: Blotter, **query: Any) -> list[Decimal]:
    return [Decimal(row["quantity"]) for row in rows(blotter, **query)]


@pytest.fixture
def three_days(blotter: Blotter) -> Blotter:
    """Bought 10 on Monday, 5 on Tuesday; on Wednesday 3 more were found for Monday."""
    blotter.trade("10", "40", MONDAY, recorded="2026-03-16 15:00Z")
    blotter.trade("5", "41", TUESDAY, recorded="2026-03-17 15:00Z")
    blotter.trade("3", "39", MONDAY, recorded="2026-03-18 15:00Z")
    for day, close in ((MONDAY, "42"), (TUESDAY, "43")):
        make.make_close(blotter.ibm, day, close)
    return blotter


def test_a_row_has_exactly_the_contracts_fields(three_days: Blotter) -> None:
    (row,) = rows(three_days, as_of="2026-03-17")
    assert set(row) == FIELDS


def test_as_of_takes_entries_by_trade_date_and_marks_of_that_session(three_days: Blotter) -> None:
    (row,) = rows(three_days, as_of="2026-03-17")
    assert Decimal(row["quantity"]) == 18
    assert (row["session"], row["mark_source"], row["price"]) == ("2026-03-17", "close", "43")
    assert Decimal(row["trade_pnl"]) == (42 - 41) * 5
    assert Decimal(row["position_pnl"]) == (43 - 42) * 18
    assert row["pnl_valid"] is True
    assert quantities(three_days, as_of="2026-03-16") == [13]


def test_known_at_takes_entries_by_when_they_were_recorded(three_days: Blotter) -> None:
    assert quantities(three_days, as_of="2026-03-16", known_at="2026-03-17T20:00:00Z") == [10]
    assert quantities(three_days, known_at="2026-03-17T15:00:00Z") == [15]  # inclusive
    assert quantities(three_days, known_at="2026-03-17T14:59:59Z") == [10]
    assert quantities(three_days, known_at="2026-03-15T00:00:00Z") == []


def test_a_day_without_a_session_means_the_session_before(three_days: Blotter) -> None:
    assert rows(three_days, as_of="2026-03-15") == []
    make.make_quote(three_days.ibm, "44", NOW)
    assert rows(three_days, as_of="2026-03-14") == []


def test_a_first_session_without_earlier_close_is_measured_from_its_mark(
    three_days: Blotter,
) -> None:
    (row,) = rows(three_days, as_of="2026-03-16")
    assert Decimal(row["trade_pnl"]) == (42 - 40) * 10 + (42 - 39) * 3
    assert Decimal(row["position_pnl"]) == 0


def test_a_session_without_its_close_has_no_mark(three_days: Blotter) -> None:
    three_days.trade("1", "1", WEDNESDAY)
    with clock_set(NOW.replace(day=20)):
        (row,) = rows(three_days, as_of="2026-03-18")
    assert (row["price"], row["position_pnl"], row["pnl_reason"]) == (None, None, "no_mark")


def test_nothing_is_worth_nothing_though_there_be_no_mark(blotter: Blotter) -> None:
    blotter.trade("2", "40", WEDNESDAY)
    (row,) = rows(blotter, as_of="2026-03-18", known_at="2027-01-01T00:00:00Z")
    assert (row["price"], row["market_value"]) == (None, None)
    blotter.trade("-2", "41", WEDNESDAY)
    (row,) = rows(blotter, as_of="2026-03-18", known_at="2027-01-01T00:00:00Z")
    assert (row["price"], row["market_value"]) == (None, "0")


@pytest.mark.parametrize(
    "query",
    [{"as_of": "2026-03-19"}, {"as_of": "yesterday"}, {"known_at": "2026-03-17"},
     {"known_at": "2026-03-17T10:00:00"}, {"include_flat": "perhaps"}, {"acount": "Test1"}],
    ids=repr,
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(three_days: Blotter, query: dict[str, str]) -> None:
    answer = make.client_of(three_days.user).get(URL, query)
    assert answer.status_code == 400
    assert {e["attr"] for e in answer.json()["errors"]} == set(query)


def test_flat_rows_come_when_asked_for(three_days: Blotter) -> None:
    three_days.trade("-18", "40", WEDNESDAY, recorded="2026-03-18 15:30Z")
    known = {"known_at": "2026-03-18T23:00:00Z"}
    assert quantities(three_days, **known) == [0]  # traded today
    with clock_set(NOW.replace(day=19)):
        assert quantities(three_days, **known) == []
        assert quantities(three_days, **known, include_flat="true") == [0]


def test_accounts_out_of_sight_are_absent(three_days: Blotter) -> None:
    stranger = make.make_user("stranger")
    answer = make.client_of(stranger).get(URL, {"account": "Test1", "as_of": "2026-03-17"})
    assert answer.json()["results"] == []


def test_positions_are_paged_without_gap_or_double(three_days: Blotter) -> None:
    for number in range(5):
        instrument = make.make_instrument(f"T{number}")
        make.make_trade(
            three_days.user, three_days.account, instrument, "1", "1",
            trade_date=TUESDAY, at=NOW,
        )  # fmt: skip
    client = make.client_of(three_days.user)
    seen: list[str] = []
    url: str | None = f"{URL}?as_of=2026-03-17&page_size=4"
    while url:
        page = client.get(url).json()
        seen += [row["ticker"] for row in page["results"]]
        url = page["next"]
    assert seen == ["IBM", "T0", "T1", "T2", "T3", "T4"]
    assert [r["ticker"] for r in client.get(page["previous"]).json()["results"]] == seen[:4]


@pytest.mark.parametrize(
    "url", ["positions/", "positions/?account=Nope", "pnl/", "pnl/?by=ticker", "pnl/?account=Nope"]
)
def test_who_sees_no_account_sees_no_rows(blotter: Blotter, url: str) -> None:
    stranger = make.make_user("stranger")
    answer = make.client_of(stranger).get(f"/api/v1/{url}")
    assert answer.status_code == 200
    assert answer.json()["results"] == []
