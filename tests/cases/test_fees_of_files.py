"""Fees in files: columns of our own, those of brokers, and our own exports read again."""

import json
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import uuid4

from accounts.models import Counterparty, Strategy
from tests.cases.test_files import FILES, desk
from tests.cases.test_preview import shown
from tests.trades.conftest import Desk
from tests.trades.importing import imported, reasons
from trades.exports import COLUMNS, csv_lines
from trades.models import LedgerEntry, Trade, VersionFee
from trades.selectors import trade_rows

__all__ = ["desk"]

D = Decimal
HEADER = (
    "ticker,account,side,quantity,price,commission,regulatory,exchange,clearing,tax,other,"
    "settlement_date,strategy,counterparty,order_id"
)


def lines(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


def booked(desk: Desk) -> dict[str, dict[str, Any]]:
    """By ticker, the trades as an answer has them."""
    found = desk.client().get("/api/v1/trades/").json()["results"]
    return {trade["ticker"]: trade for trade in found}


def fees(trade: dict[str, Any]) -> dict[str, Decimal]:
    return {fee["kind"]: D(fee["amount"]) for fee in trade["fees"]}


def cents(amount: str) -> Decimal:
    return D(amount).quantize(D("0.01"), ROUND_HALF_UP)


def test_columns_of_our_own(desk: Desk) -> None:
    Strategy.objects.create(code="ALPHA")
    Counterparty.objects.create(code="B1")
    job = imported(
        desk,
        lines(
            "KO,Test1,buy,10,70,1.5,0.02,0.3,0.4,0.5,-0.25,2026-11-30,ALPHA,B1,O-1",
            "WM,Test1,sell,1,200,,,NYSE,,,,,,,",
            "CL,Test1,buy,1,80,1e3,,,,,,,,,",
            "CI,Test1,buy,1,80,,,,,,,2026-11-24,BETA,,",
        ),
    )
    assert (job["rows_booked"], job["rows_rejected"]) == (2, 2)
    found = booked(desk)
    assert fees(found["KO"]) == {
        "commission": D("1.5"), "regulatory": D("0.02"), "exchange": D("0.3"),
        "clearing": D("0.4"), "tax": D("0.5"), "other": D("-0.25"),
    }  # fmt: skip
    assert D(found["KO"]["net_amount"]) == D("702.47")
    names = ("settlement_date", "strategy", "counterparty", "order_id")
    assert [found["KO"][name] for name in names] == ["2026-11-30", "ALPHA", "B1", "O-1"]
    assert (found["WM"]["fees"], found["WM"]["settlement_date"]) == ([], "2026-11-27")
    assert set(VersionFee.objects.values_list("source", flat=True)) == {"external"}
    because = reasons(desk, job["id"])
    assert because[4].startswith("commission: This is written with an exponent")
    assert "before the trade date" in because[5]
    assert "no strategy of this code" in because[5]


def test_an_amount_that_is_no_fee_is_refused_by_its_column(desk: Desk) -> None:
    job = imported(desk, lines("KO,Test1,buy,1,80,,,,,12345678901.5,,,,,"))
    assert reasons(desk, job["id"])[2].startswith("tax: ")


def test_the_sale_of_a_schwab_download(desk: Desk) -> None:
    imported(desk, (FILES / "01-schwab.csv").read_bytes(), account="Test1")
    (sale,) = [t for t in desk.client().get("/api/v1/trades/").json()["results"]
               if t["side"] == "sell"]  # fmt: skip
    assert fees(sale) == {"commission": D("0.01")}
    assert cents(sale["net_amount"]) == D("-738.81")


STATEMENT = """Statement,Header,Field Name,Field Value
Statement,Data,Title,Activity Statement
Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,T. Price,\
C. Price,Proceeds,Comm/Fee,Basis,Realized P/L,MTM P/L,Code
Trades,Data,Order,Stocks,USD,KO,"2026-11-24, 09:58:53","1,250",70.25,70.5,-87812.5,-6.25,\
87818.75,0,312.5,O
Trades,Data,Order,Stocks,USD,WM,"2026-11-24, 10:00:00",-100,208.64,208.5,20864,-1.0445275,\
-20862.96,0,14,O
Trades,Data,Order,Stocks,USD,CL,"2026-11-24, 10:01:00",200,80.5,80.5,-16100,0.42,16099.58,0,0,O
Trades,SubTotal,,Stocks,USD,KO,,1250,,,-87812.5,-6.25,87818.75,0,312.5,
Trades,Total,,Stocks,USD,,,,,,-83048.5,-6.87,,0,326.5,
"""


def test_an_interactive_brokers_statement_to_the_cent(desk: Desk) -> None:
    """What was paid stands there below zero, and finer than a millionth; a rebate above. Proceeds
    and fees together are the cash of each trade."""
    job = imported(desk, STATEMENT, account="Test1")
    assert (job["rows_booked"], job["rows_rejected"]) == (3, 0), reasons(desk, job["id"])
    found = booked(desk)
    assert {ticker: fees(trade)["commission"] for ticker, trade in found.items()} == {
        "KO": D("6.25"), "WM": D("1.044528"), "CL": D("-0.42"),
    }  # fmt: skip
    net = {ticker: -cents(trade["net_amount"]) for ticker, trade in found.items()}
    assert net == {"KO": D("-87818.75"), "WM": D("20862.96"), "CL": D("-16099.58")}
    assert cents(str(sum(LedgerEntry.objects.values_list("fees", flat=True)))) == D("6.87")


def test_our_own_export_says_the_same_again(desk: Desk) -> None:
    Strategy.objects.create(code="ALPHA")
    terms = {
        "account": "Test1", "ticker": "KO", "side": "buy", "quantity": "3", "price": "2",
        "trade_date": "2026-11-24", "settlement_date": "2026-11-30", "strategy": "ALPHA",
        "order_id": "O-1", "fees": [{"kind": "exchange", "amount": "-0.02"}],
    }  # fmt: skip
    answer = desk.client().post("/api/v1/trades/", terms, format="json")
    assert answer.status_code == 201, answer.content
    text = "".join(csv_lines(trade_rows(Trade.objects.all())))
    assert {"exchange", "net_amount"} <= set(COLUMNS)
    job = imported(desk, text.replace(answer.json()["id"], str(uuid4())))
    assert (job["reading"]["profile"], job["rows_booked"]) == ("admin_export", 1)
    again, first = desk.client().get("/api/v1/trades/").json()["results"]
    same = (*terms, "net_amount")
    assert {name: again[name] for name in same} == {name: first[name] for name in same}


def test_german_columns_are_suggested_and_taken_once_they_are_said(desk: Desk) -> None:
    """A column of fees is never taken for what a trade cost on a guess."""
    text = (
        "Datum;Papier;Richtung;Stück;Kurs;Gebühr;Steuern;Farbe;Konto\n"
        "25.11.2026;KO;Kauf;1.250;68,50;4,90;0,10;rot;Test1\n"
        "25.11.2026;WM;Verkauf;10;200,25;4,90;;blau;Test1\n"
    )
    seen = shown(desk, text)
    unknown = next(ask for ask in seen["asks"] if ask["code"] == "unknown_column")
    suggested = {each["column"]: each["field"] for each in unknown["suggested"]}
    assert suggested == {
        "Datum": "trade_date", "Papier": "ticker", "Richtung": "side", "Stück": "quantity",
        "Kurs": "price", "Gebühr": "commission", "Steuern": "tax", "Konto": "account",
    }  # fmt: skip
    mapping = json.dumps({**suggested, "Farbe": None})
    answered = shown(desk, text, mapping=mapping)
    assert answered["asks"] == []
    imported(desk, text, mapping=mapping, digest=answered["digest"])
    found = booked(desk)
    assert fees(found["KO"]) == {"commission": D("4.90"), "tax": D("0.10")}
    assert D(found["KO"]["net_amount"]) == D("85630.00")
    assert (found["KO"]["trade_date"], found["KO"]["quantity"]) == ("2026-11-25", "1250")
    assert fees(found["WM"]) == {"commission": D("4.90")}
    assert D(found["WM"]["net_amount"]) == D("-1997.60")


def test_a_field_is_suggested_once_and_not_beside_a_column_that_says_it(desk: Desk) -> None:
    text = lines(
        "KO,Test1,buy,5,70,1,2,3",
        header="ticker,account,side,quantity,price,Gebuehr,Provision,Kurs",
    )
    (ask,) = shown(desk, text)["asks"]
    assert ask["suggested"] == [{"column": "Gebuehr", "field": "commission"}]
    assert ask["examples"] == ["Gebuehr", "Provision", "Kurs"]
