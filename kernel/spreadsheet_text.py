"""Texts in CSV files that a person may open in a spreadsheet, and that a program may read again.

A spreadsheet takes a cell that begins in a certain way for a formula, which may fetch what it
likes. An apostrophe before it makes it text. The front end has the same rule in lib/csv.ts. Pure.
"""

import re

# What already has apostrophes before it gets one more: so each comes back as it was.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")
# No danger, and a number that became text would be of no use.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def harmless(text: str) -> str:
    """The cell to write."""
    is_formula = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def meant(cell: str) -> str:
    """What `harmless` was given; any other cell is what it says."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell
