"""What the columns beside the terms say of a row: its currency, its class, its type, its status,
the row that it cancels, and whether its time is known. Pure."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from kernel.errors import FieldError
from trades.imports.reading import kinds, names
from trades.imports.reading.outcome import Row
from trades.imports.reading.sides import Said, action_of
from trades.imports.reading.terms_read import Passed

DOLLARS = ("USD", "US$", "$")
_CODES = {"ca": "cancel", "co": "correct"}
_NOT_KNOWN = ("false", "no", "n", "0")
_READ = (
    names.CURRENCY, names.ASSET, names.TYPE, names.STATUS, names.CODE, names.CANCELS,
    names.TRADE_ID, names.TIME_KNOWN,
)  # fmt: skip


class Beside:
    """Reads these columns of one file; `place` says where each field stands."""

    def __init__(self, place: Mapping[str, int]) -> None:
        self._extra = tuple((of, place[of]) for of in _READ if of in place)

    def __bool__(self) -> bool:
        return bool(self._extra)

    def row(
        self, cells: Sequence[str], values: dict[str, str], word: Said, errors: list[FieldError]
    ) -> Row | Passed:
        if kinds.is_option(values.get(names.TICKER, "")):
            return Passed("option")
        if word.kind:
            return Passed(word.kind)
        said_of = {of: cell for of, at in self._extra if (cell := cells[at].strip())}
        action = word.action or _action(said_of)
        kind = _other_than_a_trade(said_of, action)
        if kind:
            return Passed(kind)
        currency = said_of.get(names.CURRENCY, "USD")
        if currency.upper() not in DOLLARS:
            detail = f"This is in {currency[:8]}, not in US dollars."
            errors.append(FieldError("not_usd", detail, names.CURRENCY))
        trade_id = said_of.get(names.TRADE_ID, "")
        if trade_id:
            values.setdefault(names.OWN_ID, trade_id)
        return Row(values, action, said_of.get(names.CANCELS, ""), trade_id)

    def time_known(self, cells: Sequence[str], values: dict[str, str]) -> None:
        """Take back a time that the file itself says nobody knows: our own exports write that of
        booking there, which puts a trade in its order and is no time of execution."""
        for of, at in self._extra:
            if of == names.TIME_KNOWN and names.TRADE_DATE in values:
                if cells[at].strip().lower() in _NOT_KNOWN:
                    values.pop(names.EXECUTED_AT, None)
                return


def _action(said_of: Mapping[str, str]) -> str:
    """Whether a row's type or codes say that it cancels or corrects another one."""
    by_type = action_of(_spaced(said_of.get(names.TYPE, "")))
    if by_type:
        return by_type
    codes = {code.strip().lower() for code in said_of.get(names.CODE, "").split(";")}
    return next((action for code, action in _CODES.items() if code in codes), "")


def _other_than_a_trade(said_of: Mapping[str, str], action: str) -> str:
    """The kind of a row that its class, type or status says to be no trade in shares; else ""."""
    if kind := kinds.asset_kind(said_of.get(names.ASSET, "")):
        return kind
    if names.plain(said_of.get(names.STATUS, "")) in ("cancelled", "canceled"):
        return kinds.CANCELLED
    return "" if action else kinds.row_kind(_spaced(said_of.get(names.TYPE, "")))


@lru_cache(1024)
def _spaced(word: str) -> str:
    """TradeCancel as Trade Cancel."""
    return "".join(f" {c}" if c.isupper() else c for c in word[:200]).strip()
