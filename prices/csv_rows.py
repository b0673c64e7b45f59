"""A file of prices: text in, rows or errors by line out. No database."""

import csv
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import Protocol, TypeVar

from kernel.errors import FieldError


class Row(Protocol):
    @property
    def line(self) -> int: ...

    @property
    def key(self) -> Hashable:
        """The key that a file may hold once; its `str` names it to people."""
        ...


R = TypeVar("R", bound=Row)
Parse = Callable[[int, Mapping[str, str]], R | FieldError]


# Told of what is loaded all the same.
Warn = Callable[[str], None]


def nobody(_: str) -> None:
    """Warns nobody."""


def error_at(line: int, code: str, detail: str) -> FieldError:
    return FieldError(code, detail, f"line {line}")


def read_rows(
    lines: Iterable[str], columns: tuple[str, ...], parse: Parse[R]
) -> tuple[list[R], list[FieldError]]:
    """All rows and all errors of a file; the header is required, its order and case are free."""
    reader = csv.reader(lines, strict=True)
    rows: list[R] = []
    errors: list[FieldError] = []
    first_seen: dict[Hashable, int] = {}
    last_read = 0
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if sorted(header) != sorted(columns):
            return [], [error_at(1, "header", f"The first line must be {','.join(columns)}.")]
        last_read = reader.line_num
        for cells in reader:
            last_read = reader.line_num
            if not cells:
                continue
            row = _row(reader.line_num, header, cells, parse)
            if isinstance(row, FieldError):
                errors.append(row)
                continue
            first = first_seen.setdefault(row.key, row.line)
            if first != row.line:
                detail = f"{row.key} stands in line {first} already."
                errors.append(error_at(row.line, "doubled", detail))
            rows.append(row)
    except (csv.Error, UnicodeDecodeError) as error:
        errors.append(error_at(last_read + 1, "not_csv", f"This cannot be read: {error}."))
    return rows, errors


def _row(line: int, header: list[str], cells: list[str], parse: Parse[R]) -> R | FieldError:
    if len(cells) != len(header):
        return error_at(line, "columns", f"This line has {len(cells)} columns, not {len(header)}.")
    return parse(line, dict(zip(header, (text.strip() for text in cells), strict=True)))
