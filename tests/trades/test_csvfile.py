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
from trades.imports.csvfile import TextCheck, cells_of, header_of, row_of
from trades.imports.records import MAX_RECORD, FileRefused, Record, records

PLAIN = "ticker,account,side,quantity,price"


def found(data: bytes, size: int = 1 << 20) -> list[Record]:
    return list(records(data[i : i + size] for i in range(0, len(data), size)))


def header(text: str) -> tuple[str | None, ...]:
    return header_of(next(records([text.encode()]), None)).fields


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
    refused = row_of(second, header_of(first))
    assert isinstance(refused, FieldError)
    assert refused.code == "bad_quotes"


STRAY = {
    "inches": ['5" pipe', '3" pipe'], "inside": ['a "b', 'c" d'], "at the end": ['5"', '3"'],
    "opened twice": ['"left open', '"and again'], "before quoted cells": ['"left open', '"ok"'],
    "closed within a cell": ['"left open', 'a" b'],
}  # fmt: skip


@pytest.mark.parametrize("notes", STRAY.values(), ids=STRAY)
def test_stray_quotes_take_no_rows_between_them(notes: list[str]) -> None:
    plain = "IBM,Test1,buy,1,2,"
    rows = [plain + notes[0], *[plain] * 40, plain + notes[1], plain]
    head, *read = found("\n".join([PLAIN + ",note", *rows]).encode())
    assert [r.line for r in read] == list(range(2, 45))
    known = header_of(head)
    bad = [r.line for r in read if isinstance(row_of(r, known), FieldError)]
    assert set(bad) <= {2, 43}
    # What stands in the middle of a cell is its text.
    for record, note in ((read[0], notes[0]), (read[41], notes[1])):
        if not note.startswith('"'):
            row = row_of(record, known)
            assert isinstance(row, dict)
            assert row["note"] == note


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
    head, *rows = [r for r in found(data, 3) if r.raw.strip()]
    known = header_of(head)
    assert [row_of(r, known) for r in rows] == [
        {"ticker": "IBM", "account": "Test1", "side": "buy", "quantity": q, "price": p}
        for q, p in (("1", "2"), ("3", "4"))
    ]
    assert [r.line for r in rows] == [2, 4]


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        "\ufeff" + PLAIN.upper(),
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
        ("ticker,account,side,quantity", "missing_column", "price"),
        (PLAIN + ",colour", "unknown_column", "colour"),
        (PLAIN + ",", "unknown_column", "''"),
        (PLAIN + ",ticker", "column_twice", "ticker"),
        (PLAIN + ",Shares", "column_twice", "Shares"),
        (PLAIN.replace(",", ";"), "unknown_column", "semicolons"),
        (PLAIN.replace(",", "\t"), "unknown_column", "tabs"),
        ('ticker,"acc', "bad_header", "quotes"),
    ],
)
def test_headers_that_are_refused(text: str, code: str, word: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        header(text)
    assert refusal.value.code == code
    assert word in refusal.value.detail


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("IBM,Test1,buy,1", "too_few_cells"),
        ("IBM,Test1,buy,1,000,2", "too_many_cells"),
        ('IBM,"Test"1,buy,1,2', "bad_quotes"),
        (PLAIN, "header_again"),
    ],
)
def test_rows_that_are_refused(row: str, code: str) -> None:
    head, one = found(f"{PLAIN}\n{row}\n".encode())
    refusal = row_of(one, header_of(head))
    assert isinstance(refusal, FieldError)
    assert refusal.code == code
    if code == "too_many_cells":
        assert "thousands" in refusal.detail


@pytest.mark.parametrize(
    ("data", "code", "word"),
    [
        (b"PK\x03\x04rest", "not_csv", "ZIP"),
        (b"\xff\xfet\x00i\x00", "not_csv", "UTF-16"),
        (b"a\nb\x00c", "nul", "Line 2"),
        ("ticker\nM\u00fcller".encode("latin-1"), "not_utf8", "Line 2"),
        (b"ticker\n\xe2\x82", "not_utf8", "Line 2"),
    ],
)
@pytest.mark.parametrize("size", [4, 1000])
def test_what_is_no_text(data: bytes, code: str, word: str, size: int) -> None:
    def pass_on() -> None:
        check = TextCheck()
        for i in range(0, len(data), size):
            check.feed(data[i : i + size])
        check.feed(b"", final=True)

    with pytest.raises(FileRefused) as refusal:
        pass_on()
    assert refusal.value.code == code
    assert word in refusal.value.detail


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

    tracemalloc.start()
    try:
        count = sum(1 for _ in records(parts()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 60_000
    # A part has 25 kB, and is split into lines; the file has 1.5 MB.
    assert peak < 400_000, peak
