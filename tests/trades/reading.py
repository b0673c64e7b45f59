"""Helpers of tests of the reader: a file opened and all its rows read, without a database."""

from typing import Any

from trades.imports.reading.opening import Opened, file_open
from trades.imports.reading.outcome import Outcome, Row
from trades.imports.reading.planning import body
from trades.imports.reading.reading import Options
from trades.imports.reading.rows import RowReader
from trades.imports.reading.terms_read import Passed


def opened(data: bytes | str, **said: Any) -> Opened:
    held = data.encode() if isinstance(data, str) else data
    parts = [held[at : at + 1000] for at in range(0, len(held), 1000)]
    return file_open(lambda: parts, Options(**said))


def outcomes(data: bytes | str, **said: Any) -> dict[int, Outcome]:
    """By line; blank lines are left out."""
    file = opened(data, **said)
    assert not file.asks, file.asks
    reader = RowReader(file.reading)
    return {
        record.line: reader.read(record)
        for record in body(file.reading, file.text.read())
        if record.raw.strip()
    }


def told(outcome: Outcome) -> Any:
    """A row's values, the kind of one that was passed over, or the codes of what is wrong."""
    if isinstance(outcome, Row):
        return outcome.values
    return outcome.kind if isinstance(outcome, Passed) else [e.code for e in outcome]


def asked(data: bytes | str, **said: Any) -> set[str]:
    return {ask.code for ask in opened(data, **said).asks}
