"""Files of the kinds that people and brokers make, each with the trades that it means, worked out
by hand: imported as they are, and what stands in the ledger afterwards."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eqtrade.up.postgres import PostgresServer
from kernel.clock import clock_set
from kernel.money import MAX_DECIMALS
from tests import factories as make
from tests.trades.conftest import Desk
from tests.trades.importing import imported, reasons, upload
from trades.models import Import, Trade

FILES = Path(__file__).parent / "files"
# The exchange is closed on this Thursday; the business date is the day before.
NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
TODAY = "2026-11-25"
TICKERS = (
    "APTV", "BALL", "BF.B", "BRK.B", "CAH", "CI", "CINF", "CL", "CPB", "KO", "PEP", "WM", "ZBRA",
)  # fmt: skip


@pytest.fixture
def desk(committed_db: PostgresServer) -> Iterator[Desk]:
    with clock_set(NOW):
        trader, viewer, outsider = (make.make_user(n) for n in ("trader", "viewer", "outsider"))
        accounts = [make.make_account(f"Test{n}", can_short=n != 4) for n in (1, 2, 3, 4)]
        for account in accounts:
            make.entitle(trader, account, book=True, correct=True)
        one, *_ = [make.make_instrument(ticker) for ticker in TICKERS]
        yield Desk(trader, viewer, outsider, accounts[0], accounts[1], accounts[3], one)


@dataclass(frozen=True)
class Case:
    """`trades` are those booked, oldest first: ticker, side, quantity, price and trade date; what
    is passed over, by kind; and what is refused, by line, with a word of the reason."""

    file: str
    trades: list[str]
    passed: dict[str, int] = field(default_factory=dict)
    refused: dict[int, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)


SIDES = ["buy"] * 8 + ["sell"] * 9 + ["buy"] * 2
CASES = [
    Case(
        "01-schwab.csv",
        ["PEP buy 1250 150.25 2026-11-20", "KO sell 10.065 73.4049 2026-11-23",
         "KO buy 45 73.7789 2026-11-24"],
        {"dividend": 1, "total": 1}, said={"account": "Test1"},
    ),
    Case(
        "02-fidelity.csv",
        ["KO sell 341 71.44 2026-11-23", "WM buy 18 208.64 2026-11-24"],
        {"dividend": 1, "text": 2},
    ),
    Case("min.csv", ["KO buy 1 70"]),
    Case(
        "03-robinhood.csv",
        ["KO sell 1 1070.5 2026-11-24", "KO buy 2.345678 70.12 2026-11-24"],
        {"dividend": 1, "blank": 1, "text": 1}, said={"account": "Test1"},
    ),
    Case(
        "04-ibkr-flex.csv",
        ["KO buy 5000 70.3 2026-11-24", "KO sell 200 70.41 2026-11-24"],
        {"cancelled": 2, "option": 1},
    ),
    Case("34-cxl.csv", ["CINF buy 5000 70.3"], {"cancelled": 2}),
    Case("05-excel-de.csv", ["KO buy 1250 70.32 2026-11-24", "KO sell 250.5 70.41 2026-11-24"]),
    Case("31-quoted-semicolon.csv", ["KO buy 1 70.5"]),
    Case(
        "06-excel-us.csv",
        ["KO buy 1250 70.32 2026-11-24", "KO sell 250 70.41 2026-11-24",
         "KO buy 1000.5 1070.41 2026-11-24"],
    ),
    Case("22-unquoted-book.csv", [], refused={2: "thousands", 3: "thousands"}),
    Case("35-comma-decimal-unquoted.csv", [], refused={2: "6 cells"}),
    Case(
        "37-open-quote.csv", ["ZBRA buy 2 71", "ZBRA sell 3 72"], refused={2: "never closed"}
    ),
    Case("23-cp1252-book.csv", ["ZBRA buy 1 70"]),
    Case("07-sides.csv", [f"KO {side} 1 70" for side in SIDES], refused={21: "buy or sell"}),
    Case(
        "08-tickers.csv",
        [f"{ticker} buy 1 500" for ticker in ["BRK.B"] * 4 + ["BRK.B", "KO", "KO", "BF.B", "BF.B"]],
        refused={
            6: "Did you mean BRK.B?", 8: "Did you mean BRK.B?", 9: "Did you mean BRK.B?",
            12: "Did you mean KO?", 13: "Did you mean KO?", 14: "Did you mean KO?",
            15: "not known",
        },
    ),
    Case("12-trailing-commas.csv", ["KO buy 1 70"], {"blank": 2}),
    Case("14-extra-columns.csv", ["KO buy 10 70"]),
    Case("15-sep-line.csv", ["KO buy 1 70"]),
    Case("33-padded.csv", ["KO buy 100 70"]),
    Case("day.csv", ["BALL buy 1 40.2"] * 3 + ["BALL buy 5 40.2"]),
    Case("fills.csv", ["CI buy 10 20"] * 2 + ["CI buy 5 20.01"]),
    Case(
        "newest.csv",
        ["APTV buy 12 31.2 2026-11-16", "APTV sell 12 33 2026-11-18",
         "APTV buy 20 32.5 2026-11-18"],
    ),
    Case(
        "13-fractions.csv",
        ["KO buy 0.00001234 70", "KO buy 0.029053 70", "KO buy 0.000001 70",
         "KO buy 3.3333333333 70", "KO buy 1 70.12345678"],
        refused={4: "exponent"},
    ),
    Case("t212.csv", ["KO buy 0.0280492 79.9"]),
    Case("old.csv", ["CPB buy 3 41 2026-11-19", "CPB buy 5 40 2026-11-20"]),
    Case("dates.csv", ["KO buy 1 70 2026-11-24"] * 11, refused={11: "date"}),
    Case(
        "etf.csv", [], {"option": 1}, dict.fromkeys(range(2, 10), "ticker is not known")
    ),
]  # fmt: skip


def booked() -> list[str]:
    """In the order of booking."""
    trades = Trade.objects.select_related("instrument").order_by("id")
    return [
        f"{t.instrument.ticker} {t.side} {t.quantity.normalize():f} {t.price.normalize():f}"
        f" {t.trade_date}"
        for t in trades
    ]


def dated(trades: list[str]) -> list[str]:
    return [trade if trade.count(" ") == 4 else f"{trade} {TODAY}" for trade in trades]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.file)
def test_files_are_booked_as_they_are_meant(desk: Desk, case: Case) -> None:
    job = imported(desk, (FILES / case.file).read_bytes(), **case.said)
    said = reasons(desk, job["id"])
    assert booked() == dated(case.trades)
    assert job["passed_over"] == case.passed
    assert set(said) == set(case.refused)
    for line, word in case.refused.items():
        assert word in said[line], said[line]
    assert job["rows_done"] == job["rows_total"] == (
        job["rows_booked"] + job["rows_rejected"] + job["rows_passed_over"]
    )  # fmt: skip


def test_a_note_in_windows_1252_is_never_mangled(desk: Desk) -> None:
    imported(desk, (FILES / "23-cp1252-book.csv").read_bytes())
    assert Trade.objects.get().note == "Müller – Auftrag"


def test_times_are_those_of_the_files_zone(desk: Desk) -> None:
    imported(desk, (FILES / "utc.csv").read_bytes(), timezone="UTC")
    found = [(t.executed_at.isoformat(), str(t.trade_date)) for t in Trade.objects.order_by("id")]
    assert found == [
        ("2026-11-21T00:15:00+00:00", "2026-11-20"),
        ("2026-11-24T20:30:05+00:00", "2026-11-24"),
        ("2026-11-25T00:30:05+00:00", "2026-11-24"),
    ]


def test_an_amount_without_a_price(desk: Desk) -> None:
    imported(desk, (FILES / "amount.csv").read_bytes())
    trade = Trade.objects.get()
    assert trade.quantity == Decimal("2.345678")
    exact = Decimal("164.48") / trade.quantity
    assert trade.price == exact.quantize(Decimal(1).scaleb(-MAX_DECIMALS))
    assert (trade.price * trade.quantity).quantize(Decimal("0.01")) == Decimal("164.48")


def test_the_files_of_this_product_are_read_by_it(desk: Desk) -> None:
    export = (FILES / "export-admin.csv").read_bytes()
    job = imported(desk, export)
    assert job["reading"]["profile"] == "admin_export"
    assert job["passed_over"] == {"cancelled": 1}
    assert [(t.client_trade_id, t.note) for t in Trade.objects.order_by("executed_at")] == [
        ("00412641447947383461", "=2+3"), ("709223E4", "-5 bps, ok"), ("1-2", "+49 30 1"),
    ]  # fmt: skip
    rows = (FILES / "export-trades-grid.csv").read_text("utf-8-sig").splitlines()[1:]
    for ticker in {row.split(",")[6] for row in rows} - set(TICKERS):
        make.make_instrument(ticker)
    grid = imported(desk, (FILES / "export-trades-grid.csv").read_bytes())
    assert grid["reading"]["profile"] == "grid_export"
    assert grid["passed_over"]["cancelled"] >= 4
    assert grid["rows_booked"] > 30
    # Once more, it is told as booked.
    again = imported(desk, (FILES / "export-trades-grid.csv").read_bytes(), again="true")
    assert again["rows_booked"] == 0
    assert again["rows_rejected"] == grid["rows_booked"] + grid["rows_rejected"]


def test_the_same_file_twice_is_told_of(desk: Desk) -> None:
    data = (FILES / "day.csv").read_bytes()
    first = imported(desk, data)
    refused: Any = upload(desk, data)
    assert refused.status_code == 409
    error = refused.json()["errors"][0]
    assert error["code"] == "file_seen"
    assert "trader" in error["detail"]
    assert "2026-11-26 10:00:00 UTC" in error["detail"]
    assert Trade.objects.count() == first["rows_booked"] == 4
    imported(desk, data, again="true")
    assert Trade.objects.count() == 8
    assert Import.objects.count() == 2


def test_newest_first_in_an_account_that_may_not_go_short(desk: Desk) -> None:
    text = (FILES / "newest.csv").read_text().replace("Test3", "Test4")
    imported(desk, text)
    assert booked()[-1] == "APTV buy 20 32.5 2026-11-18"
    assert Trade.objects.count() == 3
