"""Remarks on how a file was read, for a person who is asked nothing. Pure."""

from kernel.errors import FieldError
from trades.imports.reading.encoding import UTF_8, UTF_8_BOM
from trades.imports.reading.plan import Plan
from trades.imports.reading.reading import Reading


def warnings_of(reading: Reading, plan: Plan | None, *, is_complete: bool) -> list[FieldError]:
    """`attr` is the field of an import by which it can be said otherwise."""
    found: list[FieldError] = []

    def warn(code: str, detail: str, attr: str | None = None) -> None:
        found.append(FieldError(code, detail, attr))

    if not is_complete:
        warn("beginning_only", "Only the beginning of this file is shown; an import reads all.")
    if reading.encoding not in (UTF_8, UTF_8_BOM):
        warn("encoding", f"This file is written in {reading.encoding}.")
    if reading.passed_over:
        names = ", ".join(reading.passed_over)
        warn("columns_passed_over", f"Passed over: {names}.", "mapping")
    if plan is not None and plan.newest_first:
        warn("newest_first", "The newest rows come first: they are booked from the last.", "order")
    elif plan is not None and plan.order is not None:
        warn("reordered", "The rows are booked in the order of their dates and times.", "order")
    if reading.known is not None and reading.known.tells:
        warn("profile", f"{reading.known.label}: {reading.known.tells}", "profile")
    return found
