"""Reading a file of trades costs what its bytes cost, whoever made them."""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trades.imports import blocks, csvfile, records
from trades.imports.reading import (
    beside,
    dates,
    encoding,
    groups,
    heading,
    kinds,
    names,
    numbers,
    opening,
    plan,
    planning,
    rows,
    sides,
    survey,
    terms_read,
    units,
    usual,
)
from trades.imports.reading.reading import Options
from trades.imports.records import CLOSED, MAX_RECORD, OPEN, FileRefused, Record

HEADER = b"ticker,account,side,quantity,price\n"
TODAY = date(2026, 3, 18)
HONEST = b"IBM,Test1,buy,10,143.5\n"
# A thirtieth of what an upload comes in, and the files are: so many pieces has a large one.
CHUNK = 8 * 1024
FILES = {
    module.__file__
    for module in (
        blocks, records, beside, csvfile, dates, encoding, groups, heading, kinds, names, numbers,
        opening, plan, planning, rows, sides, survey, terms_read, units, usual,
    )
}  # fmt: skip


def parse(data: bytes) -> int:
    """All that an upload and a worker do to read it; how many records it has."""
    chunks = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
    count = 0
    with suppress(FileRefused):
        # As if its rows depended on each other: then the most is done.
        file = opening.file_open(lambda: chunks, Options(order="oldest_first"), today=TODAY)
        if file.planner is not None:
            found = file.planner.plan(file.text.read)
        else:
            found = planning.plan_of(file.reading, file.text.read, today=TODAY, order=None)
        stored = units.framed(found, b"".join(file.text.read()))
        reader = rows.RowReader(file.reading)
        for unit in units.units_framed(stored, 0, file.reading.delimiter):
            for record in unit.records:
                count += 1
                if record.raw.strip():
                    reader.read(record)
    return count


def filled(pattern: bytes, size: int) -> bytes:
    return HEADER + (pattern * (size // len(pattern) + 1))[:size]


def lines_run(work: Callable[[], Any]) -> int:
    """How many lines of the reader's Python were executed."""
    count = 0

    def within(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        count += event == "line"
        return within

    def called(frame: FrameType, event: str, _: Any) -> Any:
        return within if frame.f_code.co_filename in FILES else None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def seconds(work: Callable[[], Any]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


TOKENS = [b'"', b'""', b",", b"\n", b"\r\n", b"\r", b" ", b"x", b'a","b', "é".encode(), HONEST]


# Beyond MAX_RECORD, which bounds what is looked ahead, as well as below it.
@pytest.mark.parametrize(("size", "examples"), [(8_000, 40), (60_000, 8)])
def test_any_bytes_are_read_at_ten_times_the_work_of_honest_ones(size: int, examples: int) -> None:
    honest = filled(HONEST, size)
    usual, usual_seconds = lines_run(lambda: parse(honest)), seconds(lambda: parse(honest))
    worst = 0.0
    slowest = 0.0

    @settings(max_examples=examples, database=None)
    @example([b'a","b', b"\n"])
    @example([b'"', b"\n"])
    @example([b"x", b"\n"])
    @example([b"\n"])
    @given(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=10))
    def check(tokens: list[bytes]) -> None:
        nonlocal worst, slowest
        data = filled(b"".join(tokens), size)
        ratio = lines_run(lambda: parse(data)) / usual
        worst = max(worst, ratio)
        slowest = max(slowest, seconds(lambda: parse(data)) / usual_seconds)
        assert ratio <= 10, (tokens, ratio)

    check()
    print(f"{size:,} bytes: at most {worst:.1f} x the work, {slowest:.1f} x the CPU of honest ones")


@pytest.mark.parametrize("pattern", [HONEST, b'a","b\n', b'"\n', b"x\n", b"\n \n", b'"x"y\n'])
def test_four_times_the_bytes_are_four_times_the_work(pattern: bytes) -> None:
    """Of many pieces and many times MAX_RECORD, as in a file of many megabytes."""
    one, four = (lines_run(partial(parse, filled(pattern, size))) for size in (30_000, 120_000))
    assert four <= 4.4 * one


def test_no_line_is_looked_through_twice_for_where_a_quote_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked: list[int] = []
    leaves = records._leaves

    def counted(line: bytes, *more: Any) -> str | None:
        looked.append(len(line))
        return leaves(line, *more)

    monkeypatch.setattr(records, "_leaves", counted)
    data = filled(b'a","b\n', 100_000)
    parse(data)
    # From its start, and from within a quote: once as it is uploaded, and once as it is booked. Its
    # first 60 lines are looked at for each delimiter that there may be, and ahead of them.
    beginning = 60 * len(b'a","b\n') * len(heading.DELIMITERS) + MAX_RECORD
    assert sum(looked) <= 2 * (2 * len(data) + beginning)


def plainly(data: bytes) -> list[tuple[bytes, int]]:
    """The records as the rule is said: for each line that opens a quote, look for its end."""
    lines = deque(data.splitlines(keepends=True))
    found = []
    while lines:
        taken = [lines.popleft()]
        if len(taken[0]) > records.MAX_RECORD:
            break
        if records._leaves(taken[0], records._FROM_START) is OPEN:
            size = len(taken[0])
            for count, line in enumerate(lines, start=1):
                how = records._leaves(line, records._FROM_WITHIN)
                if size > records.MAX_RECORD or how not in (OPEN, CLOSED):
                    break
                size += len(line)
                if how is CLOSED:
                    taken += [lines.popleft() for _ in range(count)]
                    break
        found.append((b"".join(taken), len(taken)))
    return found


def read(data: bytes) -> Iterator[tuple[bytes, int]]:
    with suppress(FileRefused):
        for record in records.records([data]):
            yield record.raw, record.next_line - record.line


@pytest.mark.parametrize("most", [24, MAX_RECORD])
@given(st.lists(st.sampled_from(['"', ",", "\n", "x", '""', "\r\n"]), max_size=80))
def test_records_are_those_of_the_plain_rule(most: int, tokens: list[str]) -> None:
    data = "".join(tokens).encode()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "MAX_RECORD", most)
        assert [r for r in read(data) if not r[0].isspace()] == [
            r for r in plainly(data) if not r[0].isspace()
        ]


def test_blank_lines_are_one_record_a_run() -> None:
    found: list[Record] = list(records.records([b"a\n" + b"\n \n" * 30_000 + b"b\n"]))
    assert len(found) < 12
    assert [r.raw for r in found if r.raw.strip()] == [b"a\n", b"b\n"]
    assert found[-1].line == 60_002
    assert b"".join(r.raw for r in found) == b"a\n" + b"\n \n" * 30_000 + b"b\n"
