"""A caller as a statement finds them: the columns, and the user and token made of them."""

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.utils.crypto import salted_hmac

from accounts.models import Scope
from kernel import clock, prepared

# With the password: a session holds only as long as its hash is the same.
_NEEDED = {"id", "username", "password", "is_active", "is_staff", "is_superuser"}
# In the model's own order, in which `from_db` takes the values.
_FIELDS = [f.attname for f in User._meta.concrete_fields if f.attname in _NEEDED]


class Credential(NamedTuple):
    """The token that let a caller in."""

    id: int
    scope: str
    last_used_at: datetime | None

    @property
    def only_reads(self) -> bool:
        return self.scope != Scope.TRADE


class Caller(NamedTuple):
    user: User
    credential: Credential | None
    """None for the user of a session."""


_USER = ", ".join(f"u.{name}" for name in _FIELDS)
CALLER_WIDTH = len(_FIELDS) + len(Credential._fields)

TOKENS = "accounts_accesstoken k JOIN auth_user u ON u.id = k.user_id"
HOLDS = """
    k.expires_at > %(now)s AND k.password_digest = sha256(convert_to(u.password, 'UTF8'))
"""
"""Of TOKENS: whether a token would still let its user in, if they are active."""


class Finding(NamedTuple):
    """How a statement finds its caller: CALLER_WIDTH columns as `caller_of` takes them, the tables
    that it reads first, one of them `auth_user u`, and the condition."""

    columns: str
    tables: str
    condition: str


BY_TOKEN = Finding(
    f"{_USER}, k.id, k.scope, k.last_used_at", TOKENS, f"k.digest = %(digest)s AND {HOLDS}"
)
BY_ID = Finding(f"{_USER}, NULL, NULL, NULL", "auth_user u", "u.id = %(user)s")

_BY_TOKEN, _BY_ID = (
    f"SELECT {by.columns} FROM {by.tables} WHERE {by.condition}" for by in (BY_TOKEN, BY_ID)
)
_USERS_BY_TOKEN = f"""
    SELECT k.digest, k.user_id FROM {TOKENS}
     WHERE k.digest = ANY(%(digests)s::bytea[]) AND {HOLDS}
"""


def budget_tag(user: int) -> str:
    """What nginx counts this user's calls in flight by: part of the keys of all their tokens and
    sessions. Nobody guesses another user's, so nobody uses up another's calls; and a key whose tag
    is changed is no key, so nobody gets more."""
    return salted_hmac("eqtrade.budget", str(user), algorithm="sha256").hexdigest()[:20]


def digest_of(key: str) -> bytes:
    """What is kept of a token's key.

    A slow hash is for what people think up. A key is 256 random bits: nobody finds it by trying,
    however fast they hash, and each request has to hash one.
    """
    return hashlib.sha256(key.encode()).digest()


def password_digest_of(password: str) -> bytes:
    """What a token keeps of its user's password, which is a hash already, as HOLDS compares it."""
    return hashlib.sha256(password.encode()).digest()


def caller_of(values: Sequence[Any]) -> Caller:
    """The user, whose other fields are read when somebody asks for them, and their token."""
    user = User.from_db("default", _FIELDS, values[: len(_FIELDS)])
    token = Credential(*values[len(_FIELDS) :])
    return Caller(user, token if token.id is not None else None)


def caller_by_token(key: str) -> Caller | None:
    """The caller with this key, in one prepared statement; None when no token holds for it."""
    row = prepared.row(_BY_TOKEN, {"digest": digest_of(key), "now": clock.now()})
    return None if row is None else caller_of(row)


def caller_by_id(user: int) -> Caller | None:
    """The user of this id, in one prepared statement."""
    row = prepared.row(_BY_ID, {"user": user})
    return None if row is None else caller_of(row)


def users_by_token(digests: Collection[bytes], now: datetime) -> dict[bytes, int]:
    """The users whom these let in at `now` if they are active, by the digest of the key."""
    asked = {"digests": list(digests), "now": now}
    return dict(prepared.rows(_USERS_BY_TOKEN, asked)) if digests else {}
