"""A kind of row, as boards and messages need to know it. Pure; `kinds.py` declares them."""

from collections.abc import Callable
from dataclasses import dataclass

from kernel.api.rows import Row


@dataclass(frozen=True)
class Kind:
    """`name` is that of its list in messages. `read` gives the rows of `accounts` as REST answers
    them (`today`); each names its `account`.

    `key`: the field that tells a row from the others of its account; "" where there is always one
    row an account. `by_instrument`: that key is a ticker, and `read` takes `keys`, pairs of account
    and instrument: rows are read where something of their instrument changed. Those of other kinds
    are read with every change of the account. `moment`: a field that time alone changes, which is
    added when a text is composed."""

    name: str
    read: Callable[..., list[Row]]
    key: str = ""
    by_instrument: bool = False
    moment: str = ""

    def key_of(self, row: Row) -> str:
        return str(row[self.key]) if self.key else ""
