"""What is unusual is asked before it is done: the caller says it again, with a token.

    1. Somebody asks for something, and there are doubts: `confirm` raises ConfirmationRequired,
       with the doubts by field and a token. Nothing is stored.
    2. The same call with that token goes through. The token is signed, and bound to the exact
       terms, to what was asked, to the user and to five minutes.
    3. It is good for one success: the row that says so is unique, and is written in the transaction
       of what was confirmed. Of two calls at once the second waits, and is asked anew; if the first
       comes to nothing, the token is as good as before.

A token for something else is not spent: the caller is asked anew, and the token stays good for what
it is for. Doubts that have gone meanwhile need no token any more.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.core.signing import BadSignature, Signer
from django.db import connection

from kernel.errors import ConfirmationRequired, FieldError
from kernel.models import Confirmation
from kernel.moments import moment_text
from kernel.money import normalized

GOOD_FOR = timedelta(minutes=5)
# Longer ones are none of ours, and not looked at.
_LONGEST = 1_000
_signer = Signer(salt="kernel.confirmation")


@dataclass(frozen=True, slots=True)
class Question:
    """`what` is done to which `terms`, by whom, and the doubts that there are. Terms are all that a
    caller can choose: what is left out can be another in the call that confirms."""

    what: str
    user: int
    terms: Mapping[str, Any]
    doubts: tuple[FieldError, ...]

    @property
    def digest(self) -> str:
        asked = sorted([doubt.code, doubt.attr or ""] for doubt in self.doubts)
        said = json.dumps([self.what, self.terms, asked], sort_keys=True, default=_plain)
        return hashlib.sha256(said.encode()).hexdigest()


def confirm(asked: Question, *, token: str | None, now: datetime) -> None:
    """Pass if there is no doubt, or if the token confirms this very question; the token is spent
    then, with the transaction, which there must be. Raises ConfirmationRequired."""
    if not asked.doubts:
        return
    if not connection.in_atomic_block:
        raise RuntimeError("A confirmation is spent in the transaction of what it confirms.")
    nonce = _nonce(asked, token, now)
    if nonce is None or not _spend(asked, nonce):
        raise required(asked, now=now)


def is_confirmed(asked: Question, *, token: str | None, now: datetime) -> bool:
    """Whether `confirm` would pass now. Spends nothing: for a form that is looked at first."""
    if not asked.doubts:
        return True
    nonce = _nonce(asked, token, now)
    return nonce is not None and not Confirmation.objects.filter(nonce=nonce).exists()


def required(asked: Question, *, now: datetime) -> ConfirmationRequired:
    """The question as an error, with a new token."""
    given = {
        "nonce": uuid4().hex,
        "user": asked.user,
        "digest": asked.digest,
        "until": (now + GOOD_FOR).timestamp(),
    }
    return ConfirmationRequired(*asked.doubts, token=_signer.sign_object(given))


def _nonce(asked: Question, token: str | None, now: datetime) -> UUID | None:
    """The token's own number, if it is for this question; else None."""
    if not token or len(token) > _LONGEST:
        return None
    try:
        given = _signer.unsign_object(token)
    except (BadSignature, ValueError):
        return None
    if (given["user"], given["digest"]) != (asked.user, asked.digest):
        return None
    return UUID(given["nonce"]) if now.timestamp() <= given["until"] else None


def _spend(asked: Question, nonce: UUID) -> bool:
    """Write that the token is spent; False when it was before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO kernel_confirmation (nonce, what, user_id, codes) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (nonce) DO NOTHING",
            [nonce, asked.what, asked.user, sorted({doubt.code for doubt in asked.doubts})],
        )
        return bool(cursor.rowcount)


def _plain(value: object) -> str:
    """One text for one value: 10 and 10.00 are the same terms."""
    if isinstance(value, Decimal):
        return normalized(value)
    if isinstance(value, datetime):
        return moment_text(value.astimezone(UTC))
    if isinstance(value, date | UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no term")
