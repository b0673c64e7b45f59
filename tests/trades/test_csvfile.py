"""CSV as people and programs write it: whatever the chunks, the same records; and a clear word."""

import csv
import io
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.errors import FieldError
from tests.trades.reading import asked, opened, outcomes, told
from trades.imports.csvfile import cells_of
from trades.imports.reading.opening import file_open
from trades.imports.reading.reading import Options
from trades.imports.records import MAX_RECORD, FileRefused, Record, records

PLAIN = "ticker,account,side,quantity,price"


def found(data: bytes, size: int = 1 << 20) -> list[Record]:
    return list(records(data[i : i + size] for i in range(0, len(data), size)))


def header(text: str) -> tuple[str | None, ...]:
    return opened(text).reading.fields


def bad(outcome: object) -> bool:
    return isinstance(outcome, list)


@given(
    st.lists(st.text(st.sampled_from('ab,"\r\n é'), max_size=8), min_size=1, max_size=30),
    st.integers(1, 9),
)
def test_records_do_not_depend_on_chunks_and_lose_nothing(lines: list[str], size: int) -> None:
    data = "\n".join(lines).encode()
    whole = found(data)
    assert found(data, size) == whole
    assert b"".join(r.raw for r in whole) == data
    for one, following in pairwise(whole):
        # Going on behind any record gives the rest.
        rest = list(records([data[one.end :]], offset=one.end, line=one.next_line))
        assert rest[:1] == [following]


@given(
    st.lists(
        st.lists(st.text(st.sampled_from("ab,\"\r\n é"), max_size=6), min_size=2, max_size=4),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_what_a_csv_writer_wrote_is_read_back(rows: list[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    got = [cells_of(r.raw.decode()) for r in found(text.getvalue().encode())]
    assert got == rows


def test_a_quote_left_open_spoils_its_own_line_only() -> None:
    data = (PLAIN + '\nIBM,Test1,buy,"1,2\nIBM,Test1,buy,1,2\n').encode()
    first, second, third = found(data)
    assert (second.broken, second.line) == (True, 2)
    assert (third.broken, third.line, third.raw) == (False, 3, b"IBM,Test1,buy,1,2\n")
    assert first.line == 1
    assert told(outcomes(data)[2]) == ["bad_quotes"]


STRAY = {
    "inches": ['5" pipe', '3" pipe'], "inside": ['a "b', 'c" d'], "at the end": ['5"', '3"'],
    "opened twice": ['"left open', '"and again'], "before quoted cells": ['"left open', '"ok"'],
    "closed within a cell": ['"left open', 'a" b'],
}  # fmt: skip


@pytest.mark.parametrize("notes", STRAY.values(), ids=STRAY)
def test_stray_quotes_take_no_rows_between_them(notes: list[str]) -> None:
    plain = "IBM,Test1,buy,1,2,"
    rows = [plain + notes[0], *[plain] * 40, plain + notes[1], plain]
    read = outcomes("\n".join([PLAIN + ",note", *rows]))
    assert list(read) == list(range(2, 45))
    assert {line for line, outcome in read.items() if bad(outcome)} <= {2, 43}
    # What stands in the middle of a cell is its text.
    for line, note in ((2, notes[0]), (43, notes[1])):
        if not note.startswith('"'):
            assert told(read[line])["note"] == note


@given(st.lists(st.text(st.sampled_from('ab," é'), max_size=12), min_size=1, max_size=20))
def test_lines_are_joined_only_where_the_whole_can_be_read(lines: list[str]) -> None:
    for record in found("\n".join(lines).encode()):
        if record.next_line - record.line > 1 and not record.raw.isspace():
            assert not record.broken
            cells = cells_of(record.raw.decode())
            assert not isinstance(cells, FieldError)
            assert any("\n" in cell for cell in cells)


def test_a_quoted_header_behind_a_byte_order_mark() -> None:
    text = '\ufeff"ticker","account","side","quantity","price","trade\ndate"\n'
    assert header(text)[-1] == "trade_date"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_the_same_whatever_ends_the_lines(end: str) -> None:
    data = end.join([PLAIN, "IBM,Test1,buy,1,2", "", 'IBM,"Test1",buy,3,4']).encode()
    assert {line: told(row) for line, row in outcomes(data).items()} == {
        line: {"ticker": "IBM", "account": "Test1", "side": "buy", "quantity": q, "price": p}
        for line, q, p in ((2, "1", "2"), (4, "3", "4"))
    }
    assert [r.line for r in found(data, 3) if r.raw.strip()] == [1, 2, 4]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN.upper(),
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        "sep=;\r\n" + PLAIN.replace(",", ";"),
        "\n\nOrders of today\n\n" + PLAIN,
        "Symbol,Acct,Action,Qty,Trade Price",
        "Price, Quantity ,SIDE,Account,Ticker,Trade_Date,Executed At,client trade id,NOTE",
        "ID,Ticker,Account,Buy Or Sell,Shares,Price,Booked_At,Request_Group",
        '"ticker","account","buy_or_sell","shares","price"',
        "rejected_line,rejected_because," + PLAIN,
    ],
)
def test_headers_that_are_understood(text: str) -> None:
    assert {"ticker", "account", "side", "quantity", "price"} <= set(header(text))


def test_the_reference_systems_names() -> None:
    assert header("ID,Ticker,Account,Buy Or Sell,Shares,Price,Booked_At,Request_Group") == (
        "client_trade_id", "ticker", "account", "side", "quantity", "price", "executed_at", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("", "empty", "empty"),
        ("\n", "empty", "empty"),
        ('ticker,"acc', "bad_header", "quote"),
        ("sep=a\n" + PLAIN, "bad_separator", "a separates"),
    ],
)
def test_files_without_a_header(text: str, code: str, word: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        header(text)
    assert refusal.value.code == code
    assert word in refusal.value.detail


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("ticker,account,side,quantity", "missing_column", "price"),
        ("one,two\n1,2", "missing_column", "ticker, quantity, price"),
        (PLAIN + ",colour", "unknown_column", "colour"),
        (PLAIN + ",ticker", "column_twice", "ticker"),
        (PLAIN + ",Shares", "column_twice", "Shares"),
        ("ticker,side,quantity,price", "account_needed", "which one"),
        ("ticker,account,quantity,price\nIBM,Test1,1,2", "missing_column", "side"),
    ],
)
def test_headers_that_are_asked_about(text: str, code: str, word: str) -> None:
    asks = opened(text).asks
    assert code in {ask.code for ask in asks}
    assert word in " ".join(ask.detail for ask in asks)


def test_what_is_said_answers_what_is_asked() -> None:
    text = "Name of it,Depot,side,quantity,price,colour\nIBM,Test1,buy,1,2,red"
    assert asked(text) == {"unknown_column", "missing_column", "account_needed"}
    mapping = {"Name of it": "ticker", "#2": "account", "*": None}
    row = told(outcomes(text, mapping=mapping)[2])
    assert row == {
        "ticker": "IBM", "account": "Test1", "side": "buy", "quantity": "1", "price": "2",
    }  # fmt: skip
    assert opened(text, mapping=mapping).reading.passed_over == ["colour"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("IBM,Test1,buy,1", ["too_few_cells"]),
        ("IBM,Test1,buy,1,000,2", ["too_many_cells"]),
        ("IBM,Test1,buy,1,000,", ["too_many_cells"]),
        ('IBM,"Test"1,buy,1,2', ["bad_quotes"]),
        (PLAIN, "header"),
        (",,,,", "blank"),
        (",", "blank"),
        ("Total,,,3,", "total"),
        ("The data is provided for your use only.", "text"),
        ("you may buy or sell at any time", ["too_few_cells"]),
        ("IBM Test1 buy 1 2", ["too_few_cells"]),
    ],
)
def test_rows_that_are_refused_or_passed_over(row: str, code: object) -> None:
    one = outcomes(f"{PLAIN}\nIBM,Test1,buy,1,2\n{row}\n")[3]
    assert told(one) == code
    if code == ["too_many_cells"] and isinstance(one, list):
        assert "thousands" in one[0].detail


def test_a_cell_under_a_column_without_a_name_is_none_too_many() -> None:
    text = f"{PLAIN},\nIBM,Test1,buy,1,250,seen\nIBM,Test1,buy,1,2,\n"
    assert told(outcomes(text)[2]) == ["too_many_cells"]
    assert told(outcomes(text)[3])["price"] == "2"
    assert told(outcomes(text, mapping={"#6": "note"})[2])["note"] == "seen"


@pytest.mark.parametrize("cells", ["1,250,70.32", "10,1,070.41", "900,250,70.5", "1, 250, 70.32"])
def test_a_number_that_is_split_up_to_the_note_is_refused(cells: str) -> None:
    """1,250 @ 70.32 is not 1 @ 250, whatever the note may be."""
    assert told(outcomes(f"{PLAIN},note\nIBM,Test1,buy,{cells}\n")[2]) == ["split_number"]
    unnamed = outcomes(f"{PLAIN},\nIBM,Test1,buy,{cells}\n", mapping={"#6": "note"})
    assert told(unnamed[2]) == ["split_number"]


@pytest.mark.parametrize(
    "cells", ["1,250,7032", "1,250,order 70.32", "1,25,70.32", "1,250.5,70.32"]
)
def test_a_note_may_have_numbers(cells: str) -> None:
    assert told(outcomes(f"{PLAIN},note\nIBM,Test1,buy,{cells}\n")[2])["note"] in cells


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"PK\x03\x04rest", "not_csv", "ZIP"),
        (b"a\nb\x00c", "nul", "Line 2"),
        ("ticker\nMüller\n".encode() + b"\xff", "not_utf8", "Line 3"),
        (b"ticker\n\x81\x8d", "not_text", "no text"),
        (b"\xff\xfet\x00i\xd8", "not_text", "no text"),
    ],
)
@pytest.mark.parametrize("size", [4, 1000])
def test_what_is_no_text(data: bytes, code: str, word: str, size: int) -> None:
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    with pytest.raises(FileRefused) as refusal:
        file_open(lambda: parts, Options())
    assert refusal.value.code == code
    assert word in refusal.value.detail


@pytest.mark.parametrize(
    ("encoding", "said"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-bom"), ("cp1252", "windows-1252"),
        ("utf-16", "utf-16-le"), ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_encodings_are_found_and_said(encoding: str, said: str, size: int) -> None:
    note = "Müller – Auftrag"
    data = f"{PLAIN},note\r\nIBM,Test1,buy,1,2,{note}\r\n".encode(encoding)
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    file = file_open(lambda: parts, Options())
    assert file.text.encoding == said
    assert note in b"".join(file.text.read()).decode()
    assert told(outcomes(data)[2])["note"] == note


@pytest.mark.parametrize("size", [1000, 1 << 20])
def test_a_line_without_end_is_refused_before_it_is_held(size: int) -> None:
    with pytest.raises(FileRefused) as refusal:
        found(PLAIN.encode() + b"\n" + b"x" * (3 * MAX_RECORD), size)
    assert refusal.value.code == "line_too_long"
    assert "Line 2" in refusal.value.detail


def test_a_file_is_not_held() -> None:
    row = b"IBM,Test1,buy,100,143.50\n"
    part = row * 1_000

    def parts() -> Iterator[bytes]:
        for _ in range(60):
            yield b"".join([part])  # new each time, as read from a socket

    def peak() -> int:
        tracemalloc.start()
        try:
            assert sum(1 for _ in records(parts())) == 60_000
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    # A part has 25 kB, and is split into lines; the file has 1.5 MB. The least of three, since what
    # the process's other threads make meanwhile is counted, too.
    least = min(peak() for _ in range(3))
    assert least < 400_000, least
