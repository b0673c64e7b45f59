"""Tokens made, taken back and cleared away; strategies and counterparties added."""

import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from django.contrib.auth.models import AbstractBaseUser, User
from django.core.exceptions import ValidationError

from accounts.callers import budget_tag, digest_of, password_digest_of
from accounts.models import AccessToken, Named, Scope
from kernel.errors import FieldError, Invalid, NotThere

USUAL_LIFETIME = timedelta(hours=12)


class NewToken(NamedTuple):
    """A token and its key, which nobody can read again."""

    token: AccessToken
    key: str


def token_create(
    *,
    user: User,
    now: datetime,
    name: str = "",
    scope: str = Scope.TRADE,
    lifetime: timedelta = USUAL_LIFETIME,
) -> NewToken:
    """A new token for the user as they were read: a password that changes meanwhile ends it."""
    # What finds secrets in files and logs knows ours by its beginning.
    key = f"eqt_{budget_tag(user.pk)}_{secrets.token_urlsafe(32)}"
    token = AccessToken.objects.create(
        user=user,
        digest=digest_of(key),
        password_digest=password_digest_of(user.password),
        name=name,
        scope=scope,
        created_at=now,
        expires_at=now + lifetime,
    )
    return NewToken(token, key)


def token_revoke(*, user: AbstractBaseUser, token: int) -> None:
    """Take a token of this user back. Raises NotThere for anybody else's."""
    deleted, _ = AccessToken.objects.filter(user_id=user.pk, pk=token).delete()
    if not deleted:
        raise NotThere("You have no such token.")


def tokens_keep(*, user: User, before: str) -> None:
    """The user's password is the same and was hashed anew: it was `before`."""
    held = AccessToken.objects.filter(user=user, password_digest=password_digest_of(before))
    held.update(password_digest=password_digest_of(user.password))


def tokens_tidy(*, now: datetime) -> int:
    """Delete what has expired; returns how many."""
    return AccessToken.objects.filter(expires_at__lte=now).delete()[0]


def named_add(kind: type[Named], *, code: str, name: str = "") -> Named:
    """Add a strategy or a counterparty. Raises Invalid, by field."""
    if kind._default_manager.filter(code=code).exists():
        raise Invalid(FieldError("taken", f"{code} is there already.", "code"))
    added = kind(code=code, name=name.strip())
    try:
        added.full_clean()
    except ValidationError as error:
        # A constraint names no field: the only one that a caller can break is of the code.
        raise Invalid(
            *(
                FieldError("invalid", " ".join(said), "code" if attr == "__all__" else attr)
                for attr, said in error.message_dict.items()
            )
        ) from error
    added.save()
    return added
