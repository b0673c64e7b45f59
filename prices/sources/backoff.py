"""The pause after a source's failures: arithmetic alone."""

from datetime import timedelta

# Twice as long each time needs no more steps than these to pass any sensible maximum.
_MOST_DOUBLINGS = 20
# Up to so much is added, so that several installations behind one address do not ask in step.
JITTER = 0.2
# A source may ask for this much with Retry-After; more is taken for a mistake.
LONGEST_ASKED = timedelta(hours=1)


def pause(
    failures: int,
    *,
    first: timedelta,
    longest: timedelta,
    share: float,
    asked: timedelta | None = None,
) -> timedelta:
    """The pause after that many failures in a row (1 or more): `first`, doubled with each further
    one up to `longest`, and up to a fifth more by `share` (0 to 1, drawn by the caller). At least
    what the source asked for, up to an hour."""
    doubled: timedelta = first * 2 ** min(failures - 1, _MOST_DOUBLINGS)
    chosen = min(doubled, longest) * (1 + JITTER * share)
    return max(chosen, min(asked or timedelta(), LONGEST_ASKED))
