"""Realized P&L by day, account, strategy and ticker, with the trades that made it."""

import csv
import io
from decimal import Decimal
from typing import Any
from zipfile import ZipFile

import pytest

from accounts.models import Strategy
from kernel.clock import clock_set
from tests import factories as make
from tests.pnl.acting import Acting
from tests.pnl.conftest import FRIDAY, MONDAY, THURSDAY, TUESDAY, WEDNESDAY, Days, at
from tests.pnl.test_strategies import Book

D = Decimal
SPAN = {"from": str(MONDAY), "to": str(FRIDAY)}


def paid(amount: str) -> list[dict[str, str]]:
    return [{"kind": "commission", "amount": amount}]


@pytest.fixture
def book(days: Days) -> Book:
    for code in ("ALPHA", "BETA"):
        Strategy.objects.create(code=code)
    return Book(days)


def test_the_worked_example(book: Book) -> None:
    book.book("1000", "50.00", at(MONDAY), strategy="ALPHA", fees=paid("5.00"))
    sale = book.book(
        "-400", "52.00", at(WEDNESDAY), strategy="BETA",
        fees=[*paid("2.00"), {"kind": "regulatory", "amount": "0.65"}],
    )  # fmt: skip
    (row,) = book.rows("pnl/realized/", at(WEDNESDAY))
    assert row == {
        "session": "2026-03-18", "account": "Test1", "strategy": "BETA", "ticker": "IBM",
        "currency": "USD", "realized_pnl": "795.35",
        "trades": [
            {
                "id": sale["id"], "side": "sell", "quantity": "400", "price": "52",
                "fees": "2.65", "closed": "-400", "realized_pnl": "795.35",
            }
        ],
        "actions": [],
    }  # fmt: skip
    before = {"from": str(MONDAY), "to": str(TUESDAY)}
    assert book.rows("pnl/realized/", at(WEDNESDAY), **before) == []
    assert book.rows("pnl/realized/", at(WEDNESDAY), strategy="ALPHA") == []
    (held,) = book.rows("positions/", at(WEDNESDAY))
    assert held["realized_pnl"] == "795.35"


def test_a_flip_realizes_what_it_closes(book: Book) -> None:
    """Short 100 @ 20 with a fee of 1.00, bought 150 @ 19 with 3.00."""
    book.book("-100", "20", at(MONDAY), fees=paid("1.00"))
    book.book("150", "19", at(MONDAY, 16), fees=paid("3.00"))
    (row,) = book.rows("pnl/realized/", at(TUESDAY), **SPAN | {"to": str(TUESDAY)})
    assert (D(row["realized_pnl"]), row["strategy"]) == (97, None)
    assert [(t["closed"], t["realized_pnl"]) for t in row["trades"]] == [("100", "97")]


def test_what_an_action_realizes_stands_on_its_ex_date(book: Book) -> None:
    days = book.days
    for day, price in ((MONDAY, "50"), (TUESDAY, "20"), (WEDNESDAY, "20")):
        days.close(day, price)
    book.book("101", "40", at(MONDAY), strategy="ALPHA")
    action = Acting(days).define("split", keep_new="3", keep_old="2")
    book.book("-51", "45", at(WEDNESDAY), strategy="ALPHA")
    rows = book.rows("pnl/realized/", at(WEDNESDAY), **SPAN | {"to": str(WEDNESDAY)})
    assert [(r["session"], r["strategy"], len(r["trades"]), r["actions"]) for r in rows] == [
        ("2026-03-17", None, 0, [action["id"]]), ("2026-03-18", "ALPHA", 1, []),
    ]  # fmt: skip
    held = book.rows("positions/", at(WEDNESDAY))
    assert sum(D(r["realized_pnl"]) for r in rows) == sum(D(r["realized_pnl"]) for r in held)


def test_as_files(book: Book) -> None:
    book.book("10", "50", at(MONDAY), strategy="ALPHA")
    sale = book.book("-4", "52", at(MONDAY, 16), strategy="ALPHA")
    with clock_set(at(MONDAY, 17)):
        answer = book.client.get("/api/v1/pnl/realized.csv", {"account": "Test1"})
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        sheet = book.client.get("/api/v1/pnl/realized.xlsx")
    assert answer["Content-Type"].startswith("text/csv")
    assert list(csv.DictReader(io.StringIO(text))) == [
        {
            "session": "2026-03-16", "account": "Test1", "strategy": "ALPHA", "ticker": "IBM",
            "currency": "USD", "trade": sale["id"], "side": "sell", "quantity": "4",
            "price": "52", "fees": "0", "closed": "-4", "realized_pnl": "8",
        }
    ]  # fmt: skip
    with ZipFile(io.BytesIO(b"".join(sheet.streaming_content))) as found:  # type: ignore[attr-defined]
        assert any(sale["id"].encode() in found.read(name) for name in found.namelist())


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ({"from": "2026-03-19"}, ("in_future", "from")),
        ({"from": "2026-03-17", "to": "2026-03-16"}, ("before_from", "to")),
    ],
)
def test_what_is_refused(book: Book, query: dict[str, Any], problem: tuple[str, str]) -> None:
    with clock_set(at(WEDNESDAY)):
        answer = book.client.get("/api/v1/pnl/realized/", query)
    assert [(e["code"], e["attr"]) for e in answer.json()["errors"]] == [problem]


def test_whose_account_one_may_not_view_does_not_exist(book: Book) -> None:
    book.book("10", "50", at(MONDAY))
    book.book("-4", "52", at(MONDAY, 16))
    stranger = make.client_of(make.make_user("stranger"))
    with clock_set(at(THURSDAY)):
        for path in ("realized/", "realized.csv"):
            answer: Any = stranger.get(f"/api/v1/pnl/{path}", SPAN | {"to": str(THURSDAY)})
            said = answer.content if path == "realized/" else b"".join(answer.streaming_content)
            assert answer.status_code == 200
            assert b"IBM" not in said
