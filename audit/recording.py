"""Recording what no table shows: logins, failures, exports.

    record("export", about="trades", after={"rows": 120})
    record("login.failed", about=hashed_unless_known(name, known=False), after={"door": "token"})

What changes a table that `audit.tables` names is recorded by the database itself.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection

from audit.context import LONGEST_NAME, who_asks

_INSERT = """
    INSERT INTO audit_record (event, actor, actor_name, address, source, request_id,
                              object_id, object_name, before, after)
    VALUES (%s, %s, %s, %s::inet, %s, %s, %s, %s, %s::jsonb, %s::jsonb)
"""
_REFUSED = """
    INSERT INTO audit_refusal AS r (minute, door, address, name, count)
    VALUES (date_trunc('minute', %s::timestamptz), %s, %s::inet, %s, 1)
    ON CONFLICT (minute, door, address, name) DO UPDATE SET count = r.count + 1
"""
LONGEST_OBJECT = 400


def record(
    event: str,
    *,
    actor: User | None = None,
    object_id: object = "",
    about: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Add one row, within the caller's transaction if there is one: what is rolled back did not
    happen. A refusal is so recorded outside of any.

    Who did it, from where and in which request is what `audit.context` knows; `actor` beats it
    where nobody is logged in yet. `about` is the name of what it was done to."""
    who = who_asks()
    actor_id, name = (who.actor, who.name) if actor is None else (actor.pk, actor.get_username())
    _run(
        _INSERT,
        event, actor_id, _plain(name, LONGEST_NAME), who.address, who.source, who.request_id,
        str(object_id), _plain(about, LONGEST_OBJECT), _json(before), _json(after),
    )  # fmt: skip


def refused(*, door: str, name: str, now: datetime) -> None:
    """Count a login that a throttle refused, from the present request's address. `name` is one of a
    user, or hashed."""
    _run(_REFUSED, now, door, who_asks().address, _plain(name, LONGEST_NAME))


def hashed_unless_known(name: str, *, known: bool) -> str:
    """A name as it may be kept: people type passwords where names belong."""
    if known:
        return name
    digest = hmac.new(settings.SECRET_KEY.encode(), name.encode(), hashlib.sha256)
    return f"unknown:{digest.hexdigest()[:16]}"


def _run(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def _plain(text: str, longest: int) -> str:
    """What the database takes: no NUL, no half of a surrogate pair, not longer than the column."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()[:longest]


def _json(values: Mapping[str, Any] | None) -> str | None:
    return None if values is None else json.dumps(values, cls=DjangoJSONEncoder)
