"""The reasons why P&L is not valid, and their order: of several, users see the first. Pure."""

NO_PREVIOUS_CLOSE = "no_previous_close"
NO_MARK = "no_mark"
SETTLING = "settling"
PRICE_DOUBTFUL = "price_doubtful"
CARRIED = "carried"
STALE = "stale"

# Users see the first of several reasons.
REASONS = (NO_PREVIOUS_CLOSE, NO_MARK, SETTLING, PRICE_DOUBTFUL, CARRIED, STALE)

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
