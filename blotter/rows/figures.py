"""The figures of P&L as they stand in rows: of a position, of an account, of a session."""

from decimal import Decimal
from operator import attrgetter

from kernel.api.rows import Row, text
from kernel.pnl import SHOWN, Figures

_shown = attrgetter(*SHOWN)


def figure_texts(figures: Figures[Decimal] | Figures[Decimal | None]) -> Row:
    """The columns of `SHOWN`, in their order."""
    return dict(zip(SHOWN, shown_texts(figures), strict=True))


def shown_texts(figures: Figures[Decimal] | Figures[Decimal | None]) -> tuple[str | None, ...]:
    """The values of `SHOWN` as texts, in their order."""
    return tuple(map(text, _shown(figures)))
