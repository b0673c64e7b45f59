"""A reading: what was decided of a file as a whole, as data. Pure.

It is stored with the import, so that each worker reads each row alike, and its digest is what a
person saw in the preview.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from trades.imports.reading.names import IGNORED, NUMBERS, Ask, plain
from trades.imports.reading.numbers import POINT
from trades.imports.reading.profile import NEW_YORK, Profile
from trades.imports.reading.profiles import BY_NAME

VERSION = 2
"""Goes up when the same decisions would give other trades."""


@dataclass(frozen=True)
class Options:
    """What a person says of a file. `mapping` is by name of column: a field, or None to pass over;
    `order` is oldest_first or newest_first."""

    profile: str | None = None
    mapping: Mapping[str, str | None] | None = None
    timezone: str | None = None
    date_order: str | None = None
    decimal: str | None = None
    account: str | None = None
    order: str | None = None


@dataclass(frozen=True)
class Reading:
    """`fields` says what each column of `names` means, None for those passed over; `decimals` the
    decimal sign by field; `orders` that of dates, by field and the separator they are written with.
    `place` and `line` are where the first row begins, in the file as UTF-8."""

    encoding: str
    delimiter: str
    header_line: int
    names: tuple[str, ...]
    fields: tuple[str | None, ...]
    place: int
    line: int
    profile: str | None = None
    zone: str = NEW_YORK
    decimals: Mapping[str, str] = field(default_factory=dict)
    orders: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    account: str | None = None
    harmless: bool = False
    newest_first: bool = False
    is_framed: bool = False

    @property
    def known(self) -> Profile | None:
        return BY_NAME.get(self.profile or "")

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @property
    def passed_over(self) -> list[str]:
        """The columns that the trades do not come from, but for those of our own bookkeeping."""
        return [
            name or f"#{number}"
            for number, (name, of) in enumerate(zip(self.names, self.fields, strict=True), start=1)
            if of is None and plain(name) not in IGNORED
        ]

    def sign(self, of: str) -> str:
        return self.decimals.get(of, POINT)

    def mapping(self) -> list[dict[str, Any]]:
        """For people: each column with its number and what it means."""
        return [
            {"number": number, "column": name, "field": of}
            for number, (name, of) in enumerate(zip(self.names, self.fields, strict=True), start=1)
        ]

    def styles(self) -> dict[str, Any]:
        """For people: how numbers, dates and rows are written."""
        return {
            "decimal": {of: self.sign(of) for of in NUMBERS if of in self.fields},
            "date_order": {of: dict(orders) for of, orders in self.orders.items() if orders},
            "timezone": self.zone,
            "order": "newest_first" if self.newest_first else "oldest_first",
            "account": self.account,
        }

    def told(self) -> dict[str, Any]:
        """For people: all of it."""
        return {
            "encoding": self.encoding,
            "delimiter": self.delimiter,
            "header_line": self.header_line,
            "profile": self.profile,
            "mapping": self.mapping(),
            "columns_passed_over": self.passed_over,
            "styles": self.styles(),
        }

    def digest(self, file_hash: str) -> str:
        """Of the file's bytes and all that was decided of it."""
        decided = {**asdict(self), "version": VERSION, "file": file_hash}
        del decided["place"], decided["is_framed"]
        text = json.dumps(decided, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Reading":
        return cls(
            **{
                **stored,
                "names": tuple(stored["names"]),
                "fields": tuple(stored["fields"]),
            }
        )


class Unreadable(Exception):
    """The file cannot be read before these are answered."""

    def __init__(self, asks: tuple[Ask, ...]) -> None:
        super().__init__("; ".join(ask.detail for ask in asks))
        self.asks = asks
