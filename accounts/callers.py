"""A caller as a statement finds them: the columns, and the user made of them."""

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User

from kernel import prepared

# With the password: a session holds only as long as its hash is the same.
_NEEDED = {"id", "username", "password", "is_active", "is_staff", "is_superuser"}
# In the model's own order, in which `from_db` takes the values.
_FIELDS = [f.attname for f in User._meta.concrete_fields if f.attname in _NEEDED]
CALLER_COLUMNS = ", ".join(f"u.{name}" for name in _FIELDS)
"""Of `auth_user u`, as `caller_of` takes them."""
USER_BY_TOKEN = "(SELECT k.user_id FROM authtoken_token k WHERE k.key = %(token)s)"  # noqa: S105

_BY_TOKEN = f"SELECT {CALLER_COLUMNS} FROM auth_user u WHERE u.id = {USER_BY_TOKEN}"


_BY_ID = f"SELECT {CALLER_COLUMNS} FROM auth_user u WHERE u.id = %(user)s"


def caller_of(values: Sequence[Any]) -> User:
    """The user, whose other fields are read when somebody asks for them."""
    return User.from_db("default", _FIELDS, values)


def caller_by_token(token: str) -> User | None:
    """The user of a token, in one prepared statement; None for an unknown token."""
    row = prepared.row(_BY_TOKEN, {"token": token})
    return None if row is None else caller_of(row)


def caller_by_id(user: int) -> User | None:
    """The user of this id, in one prepared statement."""
    row = prepared.row(_BY_ID, {"user": user})
    return None if row is None else caller_of(row)
