"""Asking: what guards found is refused, confirmed, or passed on, before a version is written.

The writer takes an `Answer`, and an answer is made here alone: so nothing is written that was not
asked. It is kept beside the version: codes, numbers, and who confirmed them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from kernel import confirmation
from kernel.confirmation import Question
from kernel.errors import ConfirmationRequired, FieldError, Invalid
from trades.guard_rules import Found, refusals

# More would only make the answer long; the last one says how many there are.
MAX_ERRORS = 1_000


@dataclass(frozen=True)
class Answer:
    """What guards said of the versions to be written, by trade id, and who confirmed it: None where
    nobody had to. Where they said nothing, or none is active, it is empty."""

    found: Mapping[str, Sequence[Found]] = field(default_factory=dict)
    confirmed_by: int | None = None


NOTHING_FOUND = Answer()
"""Of what guards were asked and had nothing to say, or of made-up trades of an empty book."""
CONFIRMED_AS_A_WHOLE = Answer()
"""Of the trades of an import that is undone: who asked for it was asked about all of them."""


def confirmed(
    what: str,
    *,
    user: int,
    terms: Mapping[str, Any],
    found: Mapping[str, Sequence[Found]],
    doubts: Sequence[FieldError],
    token: str | None,
    now: datetime,
) -> Answer:
    """The answer to what was found of these terms, by trade id; `doubts` are the same as errors.
    Raises Invalid where something is refused, ConfirmationRequired where `token` does not confirm
    it. Needs a transaction when there is anything to ask."""
    refuse(found.values())
    if not doubts:
        return NOTHING_FOUND
    try:
        confirmation.confirm(Question(what, user, terms, tuple(doubts)), token=token, now=now)
    except ConfirmationRequired as asked:
        raise ConfirmationRequired(*shortened(asked.errors), token=asked.token) from None
    return Answer(found, user)


def confirmed_here(found: Mapping[str, Sequence[Found]], user: int) -> Answer:
    """The answer of who was shown what guards said, and books it: rows that were held."""
    refuse(found.values())
    return Answer(found, user if found else None)


def passed_on(found: Mapping[str, Sequence[Found]]) -> Answer:
    """The answer where what is warned of is booked and listed, as by an import that says so."""
    refuse(found.values())
    return Answer(found)


def refuse(found: Collection[Sequence[Found]]) -> None:
    """Raise Invalid with what refuses, if anything does."""
    if refused := [each.error for some in found for each in refusals(some)]:
        raise Invalid(*shortened(refused))


def shortened(errors: Sequence[FieldError]) -> list[FieldError]:
    if len(errors) <= MAX_ERRORS:
        return list(errors)
    more = f"There are {len(errors) - MAX_ERRORS} more errors like these."
    return [*errors[:MAX_ERRORS], FieldError("more_errors", more, "trades")]
