"""The list as a file: what is shown, exactly, to those who may see it."""

import csv
import io
import re
import zipfile
from datetime import date
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.contrib.auth.models import User
from django.test import Client

from accounts.models import Entitlement
from tests import factories as make
from tests.trades.admin.conftest import LIST
from tests.trades.conftest import NOW, TODAY, Desk
from trades import exports
from trades.models import Trade


def csv_of(client: Client, **query: str) -> list[dict[str, str]]:
    answer = client.get(f"{LIST}export/csv/", query)
    assert answer.status_code == 200
    assert re.search(r'filename="trades-\d+-\d+\.csv"', answer["Content-Disposition"])
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _number(cell: str) -> int:
    """Of a cell's column: 0 of "A7", 26 of "AA7"."""
    number = 0
    for letter in cell.rstrip("0123456789"):
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1


def excel_of(client: Client, **query: str) -> list[dict[str, tuple[str, str]]]:
    """The rows of the sheet: by column, type and text of each cell that there is."""
    answer = client.get(f"{LIST}export/xlsx/", query)
    assert answer.status_code == 200, answer.content
    book = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    assert sheet.find(".//m:f", space) is None, "there is a formula"
    rows = []
    for row in sheet.findall(".//m:row", space):
        cells = {
            exports.COLUMNS[_number(c.get("r", ""))]: (
                c.get("t", "n"),
                "".join(c.itertext()),
            )
            for c in row.findall("m:c", space)
        }
        rows.append(cells)
    return rows


def test_the_filtered_list_as_csv(
    client: Client, many: dict[str, Trade], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trades.admin.trades.EXPORT_CHUNK", 2)
    rows = csv_of(client)
    assert [r["id"] for r in rows] == [str(many[name].pk) for name in "edcba"]
    assert list(rows[0]) == list(exports.COLUMNS)
    assert (rows[4]["quantity"], rows[4]["price"], rows[4]["trade_date"]) == (
        "1",
        "2",
        "2026-03-18",
    )
    assert [r["id"] for r in csv_of(client, q="Test1 IBM", status="live")] == [
        str(many[name].pk) for name in "da"
    ]
    assert [r["id"] for r in csv_of(client, q=str(many["a"].pk))] == [str(many["a"].pk)]


FORMULAS = ["=1+1", "+1", "-1+2", "@SUM(A1)", "=cmd|' /C calc'!A0", "－1"]


@pytest.mark.parametrize("note", FORMULAS)
def test_no_text_becomes_a_formula(client: Client, trade: Trade, note: str) -> None:
    Trade.objects.filter(pk=trade.pk).update(note=note, client_trade_id=note)
    (row,) = csv_of(client)
    assert (row["note"], row["client_trade_id"]) == (f"'{note}", f"'{note}")
    cells = excel_of(client)[1]
    assert cells["note"] == ("inlineStr", note)


def test_a_number_stays_a_number(client: Client, trade: Trade) -> None:
    """Nothing is calculated of it, and a file that is read again has it as it was."""
    Trade.objects.filter(pk=trade.pk).update(note="-1")
    assert csv_of(client)[0]["note"] == "-1"


def test_quotes_commas_and_lines_stay_in_their_cell(client: Client, trade: Trade) -> None:
    Trade.objects.filter(pk=trade.pk).update(note='a "b", c; ü 漢')
    assert csv_of(client)[0]["note"] == 'a "b", c; ü 漢'


def test_numbers_in_excel_are_exact_or_text(desk: Desk, client: Client, trade: Trade) -> None:
    make.make_close(desk.ibm, date(2026, 3, 17), "1.5")
    Trade.objects.filter(pk=trade.pk).update(
        quantity=Decimal("999999999.123456"), price=Decimal("1000000000")
    )
    cells = excel_of(client)[1]
    assert cells["quantity"] == ("n", "999999999.123456")
    assert cells["price"] == ("n", "1000000000")
    # (1.5 − 1,000,000,000) × 999,999,999.123456 has more digits than a double keeps.
    assert cells["trade_pnl"][0] == "inlineStr"
    exact = (Decimal("1.5") - 10**9) * Decimal("999999999.123456")
    assert Decimal(cells["trade_pnl"][1]) == exact


def test_excel_is_refused_where_it_would_be_too_long(
    client: Client, many: dict[str, Trade], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "MAX_EXCEL_ROWS", 5)
    assert len(excel_of(client)) == 6
    monkeypatch.setattr(exports, "MAX_EXCEL_ROWS", 4)
    page = client.get(f"{LIST}export/xlsx/", {"status": ""}, follow=True)
    assert "narrow the search, or take the CSV" in page.content.decode()


def test_exports_hold_only_what_one_may_view(desk: Desk, client: Client, clerk: User) -> None:
    for account in (desk.account, make.make_account("Hidden")):
        make.make_trade(desk.trader, account, desk.ibm, "1", "2", trade_date=TODAY, at=NOW)
    assert {r["account"] for r in csv_of(client)} == {"Test1"}
    Entitlement.objects.filter(user=clerk).update(can_view=False, can_book=False, can_correct=False)
    assert csv_of(client) == []
