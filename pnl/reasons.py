"""Why P&L is not valid: the reasons, and which of several one is told. No Django, no database."""

NO_PREVIOUS_CLOSE = "no_previous_close"
NO_MARK = "no_mark"
SETTLING = "settling"
CARRIED = "carried"
STALE = "stale"

# Of several reasons the first of these is told.
REASONS = (NO_PREVIOUS_CLOSE, NO_MARK, SETTLING, CARRIED, STALE)

_ARRAY = "ARRAY[" + ", ".join(f"'{reason}'" for reason in REASONS) + "]"


def rank(reason: str) -> int:
    """The place of a reason in their order, from 1 on."""
    return REASONS.index(reason) + 1


def rank_sql(reason: str) -> str:
    """`rank` in SQL; null where there is no reason."""
    return f"array_position({_ARRAY}, {reason}::text)"


def reason_sql(rank: str) -> str:
    """The reason of a rank, in SQL; null where there is none."""
    return f"({_ARRAY})[{rank}]"
