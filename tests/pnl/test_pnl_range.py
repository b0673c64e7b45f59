"""GET pnl/ over a range: provisional figures of past sessions, corrections, pages, refusals."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kernel.clock import clock_set
from tests import factories as make
from tests.pnl.conftest import MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Days, at

NOW = at(THURSDAY)
BY_ACCOUNT = {
    "session", "account", "currency", "trade_pnl", "position_pnl", "action_pnl", "total_pnl",
    "fees", "net_pnl",
    "correction_pnl", "is_final", "pnl_valid", "pnl_reason", "invalid_rows", "calculated_at",
    "restated_at",
}  # fmt: skip
BY_TICKER = BY_ACCOUNT | {
    "ticker", "opening_quantity", "closing_quantity", "previous_close",
    "previous_close_as_traded", "mark", "actions",
}  # fmt: skip


@pytest.fixture
def three_days(days: Days) -> Days:
    """10 bought on Monday; 15 sold on Tuesday; on Wednesday 2 more were found for Monday."""
    days.trade("10", "40", MONDAY)
    days.trade("-15", "45", TUESDAY)
    days.trade("2", "41", MONDAY, when=at(WEDNESDAY))
    for day, close in ((MONDAY, "42"), (TUESDAY, "44"), (WEDNESDAY, "43")):
        days.close(day, close)
    return days


def test_rows_have_exactly_the_contracts_fields(three_days: Days) -> None:
    for by, fields in (("account", BY_ACCOUNT), ("ticker", BY_TICKER)):
        rows = three_days.pnl(NOW, by=by, **{"from": "2026-03-16"})
        assert {frozenset(row) for row in rows} == {frozenset(fields)}


def test_each_session_from_its_closes(three_days: Days) -> None:
    found = three_days.figures(NOW, by="ticker", **{"from": "2026-03-16", "to": "2026-03-18"})
    assert found == [
        ((42 - 40) * 10 + (42 - 41) * 2, 0, 22),  # no close before: measured from the mark
        ((42 - 45) * -15, (44 - 42) * -3, 45 - 6),
        (0, (43 - 44) * -3, 3),
    ]


def test_accounts_are_the_sums_of_their_rows(three_days: Days) -> None:
    xom = make.make_instrument("XOM")
    three_days.trade("7", "10", TUESDAY, instrument=xom)
    three_days.close(TUESDAY, "11", xom)
    three_days.close(WEDNESDAY, "12.5", xom)
    for day in ("2026-03-17", "2026-03-18", "2026-03-19"):
        query = {"from": day, "to": day}
        (total,) = three_days.pnl(NOW, **query)
        rows = three_days.pnl(NOW, by="ticker", **query)
        assert len(rows) == 2
        for name in ("trade_pnl", "position_pnl", "total_pnl", "correction_pnl"):
            assert Decimal(total[name]) == sum(Decimal(row[name] or 0) for row in rows)


def test_what_late_trades_changed_stands_in_the_session_that_learned_of_them(
    three_days: Days,
) -> None:
    rows = three_days.pnl(NOW, **{"from": "2026-03-16", "to": "2026-03-18"})
    assert [Decimal(row["correction_pnl"]) for row in rows] == [0, 0, 44 * 2 - 41 * 2]


def test_a_correction_of_a_key_that_is_flat_has_a_row_of_its_own(days: Days) -> None:
    days.close(MONDAY, "42")
    days.close(TUESDAY, "43")
    days.trade("1", "40", MONDAY, when=at(TUESDAY))
    days.trade("-1", "41", MONDAY, when=at(TUESDAY))
    days.trade("1", "40", MONDAY, when=at(WEDNESDAY))
    days.trade("-1", "41", MONDAY, when=at(WEDNESDAY))
    for day in ("2026-03-17", "2026-03-18"):
        (row,) = days.pnl(at(WEDNESDAY), by="ticker", **{"from": day, "to": day})
        assert (row["correction_pnl"], row["total_pnl"]) == ("1", "0")


def test_what_was_recorded_at_the_very_end_belongs_to_the_session(days: Days) -> None:
    days.close(MONDAY, "42")
    days.trade("1", "40", MONDAY, when=at(TUESDAY, 20))
    days.trade("1", "40", MONDAY, when=at(TUESDAY, 20).replace(microsecond=1))
    rows = days.pnl(NOW, **{"from": "2026-03-17", "to": "2026-03-18"})
    days.close(TUESDAY, "43")
    assert [row["correction_pnl"] for row in rows] == ["2", "0"]  # the sum of what is known
    assert [(row["pnl_valid"], row["invalid_rows"]) for row in rows] == [(False, 1), (False, 1)]
    rows = days.pnl(NOW, **{"from": "2026-03-17", "to": "2026-03-18"})
    assert [row["correction_pnl"] for row in rows] == ["2", "3"]


def test_a_correction_that_is_not_known_is_an_invalid_row_once(days: Days) -> None:
    """Nothing is held of IBM and FLAT at Wednesday's open, so that nothing else is wrong with
    them; the others' figures lack the same close."""
    flat, *others = [make.make_instrument(ticker) for ticker in ("FLAT", "T", "XOM")]
    for name in (days.ibm, flat):
        days.trade("-1", "41", MONDAY, instrument=name)
    for name in (days.ibm, flat, *others):
        days.trade("1", "40", MONDAY, when=at(TUESDAY, 21), instrument=name)
    days.trade("3", "43", WEDNESDAY)
    make.make_quote(days.ibm, "44", at(WEDNESDAY, 19))
    days.close(WEDNESDAY, "43")
    for now in (at(WEDNESDAY, 19), at(THURSDAY)):
        query = {"from": "2026-03-18", "to": "2026-03-18"}
        rows = days.pnl(now, by="ticker", **query)
        assert [
            (r["ticker"], r["correction_pnl"], r["pnl_valid"], r["pnl_reason"]) for r in rows
        ] == [
            (ticker, None, False, "no_previous_close") for ticker in ("FLAT", "IBM", "T", "XOM")
        ]  # fmt: skip
        (total,) = days.pnl(now, **query)
        assert [total[name] for name in (
            "correction_pnl", "pnl_valid", "pnl_reason", "invalid_rows", "is_final",
        )] == ["0", False, "no_previous_close", 4, False]  # fmt: skip


def test_a_missing_close_leaves_the_figures_open(three_days: Days) -> None:
    xom = make.make_instrument("XOM")
    three_days.trade("7", "10", TUESDAY, instrument=xom)
    query = {"from": "2026-03-17", "to": "2026-03-17"}
    row = three_days.pnl(NOW, by="ticker", **query)[1]
    assert (row["trade_pnl"], row["mark"], row["pnl_reason"]) == (None, None, "no_mark")
    (total,) = three_days.pnl(NOW, **query)
    assert (total["total_pnl"], total["invalid_rows"], total["pnl_valid"]) == ("39", 1, False)


def test_a_flat_row_with_pnl(days: Days) -> None:
    days.close(MONDAY, "11")
    days.trade("100", "10", TUESDAY)
    days.trade("-100", "12", TUESDAY)
    query = {"from": "2026-03-17", "to": "2026-03-18"}
    assert days.figures(NOW, by="ticker", **query) == [(200, 0, 200)]
    assert days.figures(NOW, **query) == [(200, 0, 200), (0, 0, 0)]


def test_an_account_begins_with_its_first_trade_date(three_days: Days) -> None:
    rows = three_days.pnl(NOW, **{"from": "2026-03-02"})
    assert [row["session"] for row in rows] == [
        "2026-03-16", "2026-03-17", "2026-03-18", "2026-03-19",
    ]  # fmt: skip


@pytest.mark.parametrize("by", ["account", "ticker"])
def test_nothing_is_read_before_the_first_trade_date(three_days: Days, by: str) -> None:
    """Not even sessions that the calendar knows of: they cost a minute and hold nothing."""
    found, statements = [], []
    for first in ("2026-03-16", "2010-01-04", "1970-01-01", "0001-01-01"):
        with CaptureQueriesContext(connection) as asked:
            found.append(three_days.pnl(NOW, by=by, **{"from": first}))
        statements.append(len(asked))
    assert len(found[0]) == 4
    assert found == [found[0]] * 4
    assert statements == [statements[0]] * 4


def test_before_the_first_trade_there_is_the_business_date_alone(days: Days) -> None:
    rows = days.pnl(NOW, **{"from": "1970-01-01"})
    assert [row["session"] for row in rows] == ["2026-03-19"]
    assert days.pnl(NOW, to="1970-01-01") == []


def test_without_dates_the_business_date_live(three_days: Days) -> None:
    make.make_quote(three_days.ibm, "40", NOW)
    (row,) = three_days.pnl(NOW)
    assert (row["session"], row["position_pnl"]) == ("2026-03-19", "9")


@pytest.mark.parametrize(
    ("query", "sessions"),
    [
        ({"to": "2026-03-17"}, ["2026-03-17"]),
        ({"from": "2026-03-17", "to": "2026-12-31"}, ["2026-03-17", "2026-03-18", "2026-03-19"]),
        ({"from": "2026-03-14", "to": "2026-03-15"}, []),
        ({"to": "2026-03-15"}, []),
    ],
    ids=str,
)
def test_a_range_lists_its_sessions(
    three_days: Days, query: dict[str, str], sessions: list[str]
) -> None:
    assert [row["session"] for row in three_days.pnl(NOW, **query)] == sessions


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        ({"from": "2026-03-20"}, "from"),
        ({"from": "2026-03-18", "to": "2026-03-17"}, "to"),
        ({"from": "monday"}, "from"),
        ({"by": "desk"}, "by"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused(
    three_days: Days, query: dict[str, str], attr: str
) -> None:
    with clock_set(NOW):
        answer = make.client_of(three_days.user).get("/api/v1/pnl/", query)
    assert answer.status_code == 400
    assert [e["attr"] for e in answer.json()["errors"]] == [attr]


@pytest.mark.parametrize("by", ["account", "ticker"])
def test_pages_forth_and_back(three_days: Days, by: str) -> None:
    query: dict[str, Any] = {"from": "2025-06-02", "by": by}
    everything = three_days.pnl(NOW, **query)
    assert len(everything) == 4
    client = make.client_of(three_days.user)
    with clock_set(NOW):
        for size in (1, 2, 3):
            page = client.get("/api/v1/pnl/", {**query, "page_size": size}).json()
            seen = list(page["results"])
            while page["next"]:
                page = client.get(page["next"]).json()
                seen += page["results"]
            assert [row["session"] for row in seen] == [row["session"] for row in everything]
            back = list(page["results"])
            while page["previous"]:
                page = client.get(page["previous"]).json()
                back = page["results"] + back
            assert [row["session"] for row in back] == [row["session"] for row in everything]
