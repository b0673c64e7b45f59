"""Errors with a meaning. Services raise them; `kernel.api.errors` turns them into HTTP, once."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """A problem of one field. `attr` names it as the caller sent it; None means the whole."""

    code: str
    detail: str
    attr: str | None = None


def shown(text: str, longest: int = 64) -> str:
    """What a caller sent, as an error can show it: letters of any language as they are, and what
    cannot be seen or stored (control characters, half characters, marks of direction) escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode()
        for each in text[:longest]
    )


class DomainError(Exception):
    """Base of all refusals. `status` is the HTTP status that says the same."""

    status = 400
    code = "invalid"
    detail = "The request is invalid."

    def __init__(self, detail: str | None = None, *, code: str | None = None) -> None:
        self.detail = detail or self.detail
        self.code = code or self.code
        super().__init__(self.detail)


class Invalid(DomainError):
    """The request breaks rules; each break is named by field."""

    def __init__(self, *errors: FieldError) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{e.attr}: {e.detail}" for e in errors))


class NotEntitled(DomainError):
    status = 403
    code = "not_entitled"
    detail = "You may not do this in that account."


class NotThere(DomainError):
    status = 404
    code = "not_found"
    detail = "Not found."


class Conflict(DomainError):
    status = 409
    code = "conflict"
    detail = "This conflicts with what is there."


class ConfirmationRequired(Conflict):
    """What is asked for is unusual. The same call with `token` as `confirm` goes through
    (`kernel.confirmation`)."""

    code = "confirmation_required"

    def __init__(self, *errors: FieldError, token: str) -> None:
        self.errors = errors
        self.token = token
        super().__init__(" ".join(error.detail for error in errors))


class TooMany(DomainError):
    """More than one caller may have at a time; `retry_after` says in how many seconds to ask
    again."""

    status = 429
    code = "throttled"
    detail = "Too many requests."

    def __init__(
        self, detail: str | None = None, *, code: str | None = None, retry_after: float = 1
    ) -> None:
        super().__init__(detail, code=code)
        self.retry_after = max(1, math.ceil(retry_after))


class Unavailable(DomainError):
    """Something that is needed is away; the same request may succeed later."""

    status = 503
    code = "unavailable"
    detail = "The service is unavailable for a moment; try again."
