"""Reading the record."""

import ipaddress
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from audit.models import Record

COLUMNS = (
    "recorded_at", "event", "actor_name", "address", "source", "object_name", "object_id",
    "before", "after", "request_id", "actor", "id",
)  # fmt: skip
# Of one piece of an export: no statement runs for long, however much there is.
PIECE = 2000


def is_on_record(user: int) -> bool:
    """Whether this user did anything that is recorded."""
    return Record.objects.filter(actor=user).exists()


def exported_before(user: int, *, since: datetime, count: int) -> datetime | None:
    """When the user took away the file that is `count` files before the next, if after `since`."""
    taken = Record.objects.filter(actor=user, event="export", recorded_at__gt=since)
    times = taken.order_by("-recorded_at").values_list("recorded_at", flat=True)
    return times[count - 1 : count].first() if count > 0 else since


def records_found(rows: QuerySet[Record], text: str) -> QuerySet[Record]:
    """Each word is a whole name, id or address, or the beginning of what it was done to."""
    for word in text.replace("\x00", "").split()[:10]:
        wanted = (
            Q(actor_name=word)
            | Q(object_name__startswith=word)
            | Q(request_id=word)
            | Q(object_id=word)
            | Q(event=word)
        )
        with suppress(ValueError):
            wanted |= Q(address=str(ipaddress.ip_address(word)))
        rows = rows.filter(wanted)
    return rows


def record_cells(rows: QuerySet[Record]) -> Iterator[list[Any]]:
    """All of them, newest first, piece by piece."""
    rows = rows.order_by("-recorded_at", "-id")
    after: Record | None = None
    while True:
        found = rows
        if after is not None:
            at = after.recorded_at
            found = rows.filter(Q(recorded_at__lt=at) | Q(recorded_at=at, id__lt=after.pk))
        piece = list(found[:PIECE])
        for row in piece:
            yield [_cell(getattr(row, name)) for name in COLUMNS]
        if len(piece) < PIECE:
            return
        after = piece[-1]


def _cell(value: Any) -> Any:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {each}" for name, each in sorted(value.items()))
    return "" if value is None else value
