"""The figures of P&L as they stand in rows: of a position, of an account, of a session."""

from collections.abc import Iterable
from decimal import Decimal
from operator import attrgetter

from kernel.actions import Action
from kernel.api.rows import Row, text
from kernel.pnl import SHOWN, Figures
from prices.actions.read import action_id

_shown = attrgetter(*SHOWN)


def figure_texts(figures: Figures[Decimal] | Figures[Decimal | None]) -> Row:
    """The columns of `SHOWN`, in their order."""
    return dict(zip(SHOWN, shown_texts(figures), strict=True))


def shown_texts(figures: Figures[Decimal] | Figures[Decimal | None]) -> tuple[str | None, ...]:
    """The values of `SHOWN` as texts, in their order."""
    return tuple(map(text, _shown(figures)))


def action_texts(actions: Iterable[Action]) -> list[Row]:
    """The corporate actions that act in a row's session."""
    return [
        {
            "id": str(action_id(action)),
            "kind": action.kind,
            "ex_date": action.ex_date.isoformat(),
            "keep_new": text(action.keep_new),
            "keep_old": text(action.keep_old),
            "cash": text(action.cash),
        }
        for action in actions
    ]
