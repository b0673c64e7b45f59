"""A booking request read before its caller is known, so that one statement answers both.

Who asks comes first all the same: what is wrong with the body is told only to somebody who may
book at all. A body that is large is not read for a stranger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from accounts.callers import Caller, caller_by_token
from kernel import clock
from kernel.api.serializers import ConfirmField
from kernel.errors import Invalid
from kernel.repeating import repeated
from trades.bookings import booking_of
from trades.services.known import Asked, ask
from trades.terms import Booking

# No booking is as long, with all its texts full and every character escaped.
MOST_BYTES = 16 * 1024


@dataclass
class BookingRequest:
    """A request to book: its body, its time, and what was found for it. `problem` is why there is
    no booking. `confirm` is the token that was sent, which is none of the booking's terms."""

    now: datetime
    confirm: str | None = None
    booking: Booking | None = None
    problem: Exception | None = None
    asked: Asked | None = None

    def read(self, request: Request) -> None:
        """Read the body; what is wrong with it is kept for later."""
        try:
            given = request.data
            if isinstance(given, Mapping) and "confirm" in given:
                given, self.confirm = without_confirm(given)
            found = booking_of(given)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised in its turn
            self.problem = error
            return
        if isinstance(found, Booking):
            self.booking = found
        else:
            self.problem = Invalid(*found)

    def caller_by_token(self, key: str) -> Caller | None:
        """The caller, and what their booking needs; None for an unknown token."""
        if self.booking is None:
            return caller_by_token(key)
        self.asked = ask(self.booking, now=self.now, token=key)
        return None if self.asked is None else self.asked.caller

    def ask_for(self, user: int | None) -> None:
        """Ask for the user that a session names, whether or not it holds."""
        if self.booking is not None and user is not None:
            self.asked = repeated(lambda: ask(self.wanted(), now=self.now, user=user))

    @property
    def user(self) -> User | None:
        """The caller, found with what the booking needs."""
        return None if self.asked is None else self.asked.caller.user

    def wanted(self) -> Booking:
        """The booking. Raises what is wrong with the body."""
        if self.booking is None:
            raise self.problem or Invalid()
        return self.booking


def without_confirm(given: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
    """What was sent, and the token apart. Raises ValidationError."""
    rest = {name: value for name, value in given.items() if name != "confirm"}
    if given["confirm"] is None:
        return rest, None
    try:
        return rest, ConfirmField().run_validation(given["confirm"])
    except ValidationError as error:
        raise ValidationError({"confirm": error.detail}) from error


def booking_request(request: Request) -> BookingRequest:
    """Read the request as a booking, before its caller is known, if it is small."""
    here = BookingRequest(clock.now())
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isascii() and length.isdigit() and int(length) <= MOST_BYTES:
        here.read(request)
    return here


def session_user(request: Request) -> int | None:
    """The id of the user that the request's session names, which nobody has checked yet."""
    session = getattr(request, "session", None)
    named = None if session is None else repeated(lambda: session.get(SESSION_KEY))
    return int(named) if named is not None and str(named).isdigit() else None
