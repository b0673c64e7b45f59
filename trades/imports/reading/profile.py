"""A profile: the columns of one source of files, its zone and habits, as data. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

NEW_YORK = "America/New_York"


@dataclass(frozen=True)
class Profile:
    """`columns` says what each column means, by its plain name (`names.plain`); those that it does
    not name are passed over. A header with all names of one of the `signatures` is of this profile.

    `decimal` and `date_order` are what the source always writes, where it does; else the columns
    decide. `kinds` are its own words, under the side's column, for rows that are no trades. Where
    `only` names a column, rows with other words in it are of another section of the file. In files
    with `harmless` cells, texts were made safe for spreadsheets. `sample` is made up.
    """

    name: str
    label: str
    signatures: tuple[tuple[str, ...], ...]
    columns: Mapping[str, str]
    sample: str
    zone: str = NEW_YORK
    decimal: str | None = None
    date_order: str | None = None
    newest_first: bool = False
    harmless: bool = False
    kinds: Mapping[str, str] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fees_below: bool = False
    """Whether it writes what was paid with a minus."""
    by_name: bool = False
    """Whether shares are called by their names rather than by tickers."""
    tells: str = ""
    """What a person has to know who takes a file from there."""

    def fits(self, names: frozenset[str]) -> bool:
        return any(names.issuperset(signature) for signature in self.signatures)
