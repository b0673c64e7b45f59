"""What a record of a file comes to. Pure."""

from typing import NamedTuple

from kernel.errors import FieldError
from trades.imports.reading.terms_read import Passed


class Row(NamedTuple):
    """`values` holds the terms by name, as text. `action` is cancel or correct where the row
    changes the one that `names` calls by its id, or that its terms tell."""

    values: dict[str, str]
    action: str = ""
    names: str = ""
    trade_id: str = ""


Outcome = Row | Passed | list[FieldError]
