"""A file that is opened is looked through once, in blocks: what is found so is what is found record
by record, row by row."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trades.imports.blocks import Block, pieces
from trades.imports.reading.opening import file_open
from trades.imports.reading.plan import Plan
from trades.imports.reading.planning import plan_of
from trades.imports.reading.reading import Options
from trades.imports.reading.survey import Surveyor
from trades.imports.records import MAX_RECORD, Record, records

TODAY = date(2026, 3, 18)
HEADER = "ticker,account,side,quantity,price,trade_date,client_trade_id,note"
TIMED = HEADER.replace("note", "executed_at")
GOOD = [
    "KO,Test1,buy,10,2.5,2026-03-16,a,", "KO,Test1,sell,3,2.5,2026-03-17,b,fine",
    "KO,Test1,Bought,1000,2.5,,,x", "BRK/B,Test2,BUY,1,500,2026-03-17,c,",
    '"KO","Test1",buy,1,1,,,', 'KO,Test1,buy,1,1,,d,"a ""quoted"", one"',
    " KO ,Test1,buy,1,1,2026-03-16,a ,", "KO,,buy,1,1,,,",
    "KO,Test1,buy,1,1,2026-03-16,e,2026-03-16 10:00:00", "KO,Test1,buy,1,1,,f,2026-03-17T01:30:00Z",
    "KO,Test1,buy,1,1,,g,2026-03-17 23:59:59", "KO,Test1,buy,1,1,,,2026-03-16",
]  # fmt: skip
ODD = [
    "", "  ", ",,,,,,,", "Total,,,8,,,,", HEADER, "Only for your use, and no advice at all.",
    "KO,Test1,buy,1,2", "KO,Test1,buy,1,2,,,,,", "KO,Test1,hold,1,2,,,", "KO,Test1,buy,-1,2,,,",
    "KO,Test1,buy,€5,2,,,", "KO,Test1,buy,1,2,17.03.2026,,", "KO,Test1,Dividend,,,2026-03-16,,",
    "KO,Test1,buy,10,2.5,2026-03-16,e,CXL", "KO,Test1,cancel buy,10,2.5,2026-03-16,,",
    'KO,Test1,buy,1,2,,,"two', 'lines"', 'KO,Test1,buy,1,2,,,"open', 'KO,Test1,"x"y,1,2,,,',
    "VOD LN EQUITY,Test1,buy,1,2,,,", "KO,Test1,buy,1,2,2026-03-17 10:00:00,,", "KO\r\rPEP",
]  # fmt: skip
lists = st.lists(st.one_of(st.sampled_from(GOOD), st.sampled_from(GOOD + ODD)), max_size=30)
sizes = st.sampled_from([7, 64, 300, 5_000])


def chunks(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def text_of(lines: list[str], end: str, *, is_ended: bool = True, header: str = HEADER) -> bytes:
    return (end.join([header, *lines]) + (end if is_ended else "")).encode()


def as_records(found: Iterator[Block | Record]) -> list[Record]:
    told: list[Record] = []
    for piece in found:
        if isinstance(piece, Record):
            told.append(piece)
            continue
        start, line = piece.start, piece.line
        for at, size in enumerate(piece.sizes):
            raw = piece.data[start - piece.start : start - piece.start + size]
            start += size
            told.append(Record(raw, line + at, start, line + at + 1, False))
    return told


@given(lists, st.sampled_from(["\n", "\r\n", "\r"]), sizes, st.booleans())
@example(GOOD * 20, "\n", 300, True)
@example([*GOOD, 'KO,Test1,buy,1,2,,,"open', *GOOD * 3], "\n", 64, True)
@example([*GOOD, "x" * (MAX_RECORD - 4), *GOOD], "\r\n", 5_000, False)
def test_pieces_are_the_records(lines: list[str], end: str, size: int, is_ended: bool) -> None:
    data = text_of(lines, end, is_ended=is_ended)
    head = next(records([data]))
    expected = [r for r in records([data]) if r.end > head.end]
    found = pieces(chunks(data, size), offset=head.end, line=head.next_line, width=8, delimiter=",")
    # A run of blank lines may end where a block does.
    assert [r for r in as_records(found) if not r.raw.isspace()] == [
        r for r in expected if not r.raw.isspace()
    ]


def told(plan: Plan) -> dict[str, Any]:
    units = plan.units
    return {
        "order": plan.order, "newest_first": plan.newest_first, "passed": plan.passed,
        "faults": plan.faults, "keys": list(units.keys), "starts": list(units.starts),
        "ends": list(units.ends), "lines": list(units.lines), "verdicts": list(units.verdicts),
        "trades": list(units.trades),
    }  # fmt: skip


@settings(max_examples=200)
@given(lists, st.sampled_from([HEADER, TIMED]), sizes, st.sampled_from([None, "newest_first"]))
@example(GOOD * 20, HEADER, 300, None)
@example(GOOD[-4:] * 20, TIMED, 300, None)
@example([*GOOD * 5, "KO,Test1,buy,10,2.5,2026-03-16,e,CXL"], HEADER, 300, None)
def test_the_plan_made_on_the_way_is_that_of_a_second_look(
    lines: list[str], header: str, size: int, order: str | None
) -> None:
    data = text_of(lines, "\n", header=header)
    parts = chunks(data, size)
    file = file_open(lambda: parts, Options(order=order), today=TODAY)
    if file.planner is None:
        # Its first rows decided otherwise than the whole, or something is asked.
        assert header == TIMED or not set(lines) <= set(GOOD)
        return
    again = plan_of(file.reading, file.text.read, today=TODAY, order=order)
    assert told(file.planner.plan(file.text.read)) == told(again)
    seen = Surveyor(file.heading)
    for record in records(parts):
        if record.end > file.heading.record.end:
            seen.record(record)
    seen.settle()
    assert seen.found == file.seen


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("ticker,account,side,quantity,price", "KO,Test1,buy,{n},2.5"),
        (HEADER, "KO,Test1,buy,{n},2.5,2026-03-16,{n},x"),
        ("ticker;account;side;quantity;price;trade_date", "KO;Test1;Kauf;{n};2,5;16.03.2026"),
        ("ticker,account,side,quantity,price,executed_at", "KO,Test1,B,{n},2,03/16/2026 10:00:00"),
    ],
    ids=["plain", "dated", "european", "timed"],
)
def test_a_file_is_looked_through_once(header: str, row: str) -> None:
    data = "\n".join([header, *(row.format(n=n) for n in range(1, 3_000)), ""]).encode()
    given_: list[int] = []

    def read() -> Iterator[bytes]:
        for part in chunks(data, 64 * 1024):
            given_.append(len(part))
            yield part

    file = file_open(read, Options(), today=TODAY)
    assert file.planner is not None
    plan = file.planner.plan(read)
    assert (file.seen.rows, plan.faults.total(), plan.passed.total()) == (2_999, 0, 0)
    # Its beginning to tell how it is written, then all of it.
    assert sum(given_) <= len(data) + 3 * 64 * 1024


def test_an_account_that_may_not_go_short_is_looked_at_in_a_second_pass() -> None:
    """Nothing of the plan is lost by it."""
    data = text_of([*GOOD * 3], "\n")
    file = file_open(lambda: [data], Options(), today=TODAY)
    assert file.planner is not None

    class Seen:
        def __init__(self) -> None:
            self.units: list[tuple[int, str, int]] = []

        def see(self, unit: int, values: dict[str, str], day: int) -> None:
            self.units.append((unit, values["ticker"], day))

        def put_off(self, order: Any, left_out: Any) -> None:
            return None

    one, other = Seen(), Seen()
    assert told(file.planner.plan(file.text.read, one)) == told(  # type: ignore[arg-type]
        plan_of(file.reading, file.text.read, today=TODAY, order=None, limited=other)  # type: ignore[arg-type]
    )
    assert one.units == other.units
    assert len(one.units) == len(GOOD) * 3
