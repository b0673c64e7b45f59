"""Values as they stand in rows that REST and websocket share."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from kernel.moments import moment_text
from kernel.money import normalized

Row = dict[str, Any]


def text(value: Decimal | None) -> str | None:
    """A decimal in plain notation, exact; one number has one text."""
    return None if value is None else normalized(value)


def moment(value: datetime | None) -> str | None:
    """A time in UTC, ISO 8601."""
    return None if value is None else moment_text(value)
