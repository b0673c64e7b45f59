"""The file of rejected rows: harmless in a spreadsheet, and read back by an import as it was."""

import csv
import io
import re

from hypothesis import example, given
from hypothesis import strategies as st

from tests.trades.conftest import Desk
from tests.trades.importing import HEADER, counts, errors_csv, imported, lines
from tests.trades.reading import opened
from trades.imports.csvfile import rejected_lines
from trades.imports.reading.planning import body
from trades.imports.reading.rows import RowReader
from trades.models import Trade

COLUMNS = [*HEADER.split(","), "note"]
STARTS = "=+-@\t\r\n＝＋－＠"
# No NUL: no file with one is accepted, and PostgreSQL stores none.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
dangerous = st.builds(str.__add__, st.text("'=+-@\t\r\n＝＋－＠", min_size=1, max_size=3), texts)
numbers = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)
rows = st.lists(st.one_of(texts, dangerous, numbers), min_size=6, max_size=6)


def read_back(file: str) -> list[list[str]]:
    """Every row below the header, as an import takes it."""
    reading = opened(file).reading
    reader = RowReader(reading)
    read = []
    for record in body(reading, [file.encode()]):
        cells = reader.cells(record)
        assert isinstance(cells, list)
        read.append(cells)
    return read


@given(st.lists(rows, min_size=1, max_size=5))
@example([["=1", "'=1", "''=1", "-5", "'-5", "-5x"]])
@example([["+5", "@x", "\t", "\r=1", "\n=1", "'"]])
def test_every_cell_comes_back_and_none_is_a_formula(table: list[list[str]]) -> None:
    rejected = [(number, f"{cells[0]} is unknown", cells) for number, cells in enumerate(table)]
    once = "".join(rejected_lines(COLUMNS, rejected))
    assert [cells[2:] for cells in read_back(once)] == table
    seen = list(csv.reader(io.StringIO(once, newline="")))[1:]
    for (_, _, cells), shown in zip(rejected, seen, strict=True):
        for cell, text in zip(cells, shown[2:], strict=True):
            is_number = re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", cell)
            assert text == cell if is_number else not text.startswith(tuple(STARTS))
        assert not shown[1].startswith(tuple(STARTS))
    # Rejected once more, it has not become another text.
    twice = "".join(rejected_lines(COLUMNS, [(1, "why", cells) for cells in table]))
    assert [cells[2:] for cells in read_back(twice)] == table


def test_what_was_mended_is_booked_as_it_was_meant(desk: Desk) -> None:
    note = '=HYPERLINK("http://evil.example.com")'
    quoted = note.replace('"', '""')
    bad = lines(f'NOPE,Test1,buy,1,2,"{quoted}"', "NOPE,Test1,buy,-3,2,x", header=f"{HEADER},note")
    first = imported(desk, bad)
    file = errors_csv(desk, first["id"])
    cells = list(csv.reader(io.StringIO(file)))
    assert cells[1][-1] == f"'{note}"
    assert cells[2][-3] == "-3"
    # Sent as it is, it is rejected again and still the same text.
    again = errors_csv(desk, imported(desk, file)["id"])
    assert [row[-1] for row in csv.reader(io.StringIO(again))] == ["note", f"'{note}", "x"]
    mended = again.replace("NOPE", "IBM").replace("-3", "3")
    assert counts(imported(desk, mended)) == ("done", 2, 2, 0)
    assert sorted(Trade.objects.values_list("note", flat=True)) == [note, "x"]
