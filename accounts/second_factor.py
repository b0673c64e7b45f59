"""The second factor: a code of an app on one's telephone (TOTP), or one of those to recover with.

django-allauth keeps them and has their pages. Here stands who has one, who has to, and what comes
of a code, whichever door it is sent to.
"""

import logging
from collections.abc import Iterable
from enum import StrEnum

from allauth.mfa.models import Authenticator
from cryptography.fernet import InvalidToken
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.http import HttpRequest

from accounts.attempts import code_used
from accounts.doors import try_begin
from kernel import clock
from kernel.errors import DomainError

logger = logging.getLogger(__name__)

LONGEST_CODE = 32
AnyUser = AbstractBaseUser | AnonymousUser


class Mode(StrEnum):
    """The setting SECOND_FACTOR: nobody has one; who likes; staff have to; everybody has to."""

    OFF = "off"
    OFFERED = "offered"
    STAFF = "staff"
    EVERYONE = "everyone"


class SecondFactorMissing(DomainError):
    status = 403
    code = "second_factor_missing"
    detail = "You need a second factor here: set it up on the page /second-factor/ first."


def is_offered() -> bool:
    return bool(settings.SECOND_FACTOR != Mode.OFF)


def is_demanded(user: AnyUser) -> bool:
    """Whether this user has to have one. Who is nobody has not."""
    mode = settings.SECOND_FACTOR if user.is_authenticated else Mode.OFF
    return bool(mode == Mode.EVERYONE or (mode == Mode.STAFF and getattr(user, "is_staff", False)))


def has_second_factor(user: AnyUser) -> bool:
    """Whether this user is asked for a code. Codes to recover with are none by themselves."""
    return is_offered() and bool(_with_one([user]))


def is_missing(user: AnyUser) -> bool:
    """Whether this user has to have one and has none: they may do nothing but set it up."""
    return bool(missing_among([user]))


def missing_among(users: Iterable[AnyUser]) -> set[int]:
    """The ids of those. One query, and none where nobody has to."""
    demanded = [user for user in users if is_demanded(user)]
    return {int(user.pk or 0) for user in demanded} - _with_one(demanded) if demanded else set()


def code_tried(request: HttpRequest, user: User, code: str) -> Authenticator | None:
    """What the code is of; None when it is wrong. Counted as a password is, in the same counts.
    Raises PermissionDenied, and has the middleware answer, when there were too many wrong ones."""
    tried = try_begin(request, user.get_username())
    found = _found(user, code[:LONGEST_CODE])
    if found is None:
        tried.was_wrong(of="code")
    else:
        tried.was_right()
    return found


def _found(user: User, code: str) -> Authenticator | None:
    kinds = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    for one in Authenticator.objects.filter(user=user, type__in=kinds).order_by("-type"):
        try:
            is_right = one.wrap().validate_code(code)
        except InvalidToken:
            logger.error("The second factor %s is sealed with another SECRET_KEY.", one.pk)
            continue
        if is_right and _is_first(user, one, code):
            return one
    return None


def _is_first(user: User, of: Authenticator, code: str) -> bool:
    """allauth's own note of used codes is this process's alone."""
    if of.type != Authenticator.Type.TOTP:
        return True
    plain = "".join(sign for sign in code if sign.isdigit())
    return code_used(user=user.pk, code=plain, now=clock.now())


def _with_one(users: Iterable[AnyUser]) -> set[int]:
    ids = [user.pk for user in users]
    found = Authenticator.objects.filter(user__in=ids, type=Authenticator.Type.TOTP)
    return set(found.values_list("user_id", flat=True))
