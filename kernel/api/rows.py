"""Values as they stand in rows that REST and websocket share."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from kernel.moments import moment_text
from kernel.money import normalized

Row = dict[str, Any]


def text(value: Decimal | None) -> str | None:
    """A decimal in plain notation, exact; one number has one text."""
    return None if value is None else normalized(value)


def encoded(row: Row) -> bytes:
    """The row's JSON; its values may be texts as below, or what they are made of. In as many bytes
    as it has: what `orjson.dumps` returns keeps the buffer that it was written into, several times
    as large."""
    return b"%b" % orjson.dumps(row, default=text, option=orjson.OPT_UTC_Z)


def moment(value: datetime | None) -> str | None:
    """A time in UTC, ISO 8601."""
    return None if value is None else moment_text(value)
