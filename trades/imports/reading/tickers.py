"""Tickers as brokers write them: BRK/B, BRK B, BRK-B, brk.b. Pure.

Only the sign between a name and its class, blanks around it and its case are taken to mean what is
listed. All else, an exchange before or behind it or a sign left out, is refused with what it may
have meant.
"""

import difflib
import re
from collections.abc import Iterable, Mapping

_BETWEEN = re.compile(r"[/\s.\-]+")
_BEFORE = re.compile(r"\A(?:[A-Z]{2,8}:|\$)")
_BEHIND = re.compile(r"(?:[ .](?:US|UN|UW|UQ|N|O|OQ|NYSE|NASDAQ))?(?: EQUITY)?\Z")
_WORD = re.compile(r"[^\W_]+")
# What listings add to a name, each in its own way.
_FORMS = frozenset(
    {
        "INC", "CORP", "CORPORATION", "CO", "COMPANY", "PLC", "LTD", "LIMITED", "THE", "COMMON",
        "STOCK", "ST", "SHARES", "COM", "NV", "SA", "AG", "LP", "LLC", "INCORPORATED",
    }
)  # fmt: skip
LONGEST = 40
MOST_NEAR = 3


class Tickers:
    """The listed tickers, found by how they are written."""

    def __init__(self, listed: Iterable[str], names: Mapping[str, str] | None = None) -> None:
        """`names` are those of the shares, by ticker."""
        self.listed = frozenset(listed)
        self._by_name: dict[str, str | None] = {}
        for ticker, name in (names or {}).items():
            if key := _name_key(name):
                self._by_name[key] = None if key in self._by_name else ticker
        self._by_key: dict[str, str | None] = {}
        for ticker in sorted(self.listed):
            key = _key(ticker)
            # Two that differ only in their sign are told apart by nothing else.
            self._by_key[key] = None if key in self._by_key else ticker
        self._bare = {_BETWEEN.sub("", ticker): ticker for ticker in sorted(self.listed)}

    def find(self, written: str) -> str | None:
        """The ticker that is meant; None where none is, or more than one could be."""
        if written in self.listed:
            return written
        text = written.strip().upper()
        if len(text) > LONGEST:
            return None
        return text if text in self.listed else self._by_key.get(_key(text))

    def named(self, written: str) -> str | None:
        """The ticker of the one share that has this name, whatever its legal form."""
        return self.find(written) or self._by_name.get(_name_key(written))

    def near(self, written: str) -> list[str]:
        """What may have been meant, the likeliest first."""
        text = written.strip().upper()
        if not text or len(text) > LONGEST:
            return []
        stripped = _BEHIND.sub("", _BEFORE.sub("", text)).strip()
        found = [self.find(stripped), self._bare.get(_BETWEEN.sub("", stripped))]
        sure = list(dict.fromkeys(ticker for ticker in found if ticker))
        if sure:
            return sure[:MOST_NEAR]
        if len(stripped) < 3:
            return []
        close = difflib.get_close_matches(stripped, self._bare, n=MOST_NEAR, cutoff=0.75)
        return [self._bare[each] for each in close]


def _key(ticker: str) -> str:
    return _BETWEEN.sub(".", ticker.strip().upper())


def _name_key(name: str) -> str:
    words = _WORD.findall(name[:160].upper().replace("'", ""))
    return " ".join(word for word in words if word not in _FORMS)


def did_you_mean(near: Iterable[str]) -> str:
    """A sentence to go behind a refusal; empty when nothing is near."""
    named = list(near)
    return f" Did you mean {' or '.join(named)}?" if named else ""
