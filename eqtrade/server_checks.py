"""System checks of the servers, for where the system runs for others:

    manage.py check --deploy --database default

It logs in as the running system does, so its role is the one that is looked at.
"""

from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.backends.utils import CursorWrapper

from kernel.database import append_only_tables
from kernel.redis_client import redis_client

REDIS_TIMEOUT_SECONDS = 2.0


@register(Tags.database, deploy=True)
def runtime_role_is_bound(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """The role that serves users can't change what is append-only, nor hold up the ledger."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        with connections[alias].cursor() as cursor:
            cursor.execute(
                "SELECT current_user, rolsuper, pg_has_role(rolname, 'pg_read_all_stats', 'usage'),"
                "       current_setting('max_prepared_transactions')::int"
                "  FROM pg_roles WHERE rolname = current_user"
            )
            role, is_superuser, reads_stats, prepared = cursor.fetchone()
            if is_superuser:
                said = f"The role {role} is a superuser; the system must run as one that is not."
                found.append(Error(said, hint="See DATABASE_URL.", id="eqtrade.E011"))
            cursor.execute(
                "SELECT name FROM unnest(%s::text[]) name"
                " WHERE has_table_privilege(name, 'UPDATE') OR has_table_privilege(name, 'DELETE')"
                "    OR has_table_privilege(name, 'TRUNCATE')",
                [append_only_tables()],
            )
            if loose := [name for (name,) in cursor.fetchall()]:
                said = f"The role {role} may change what is append-only: {', '.join(loose)}."
                hint = "Run as the runtime role, after `manage.py grant_runtime` as the owner."
                found.append(Error(said, hint=hint, id="eqtrade.E012"))
            if prepared:
                said = "A prepared transaction could hold up every position for ever."
                hint = "Set max_prepared_transactions to 0 in PostgreSQL."
                found.append(Error(said, hint=hint, id="eqtrade.E013"))
            found += _unlimited(cursor, role)
            if not reads_stats:
                said = f"The role {role} can't see how old other roles' transactions are."
                hint = f"As a superuser: GRANT pg_read_all_stats TO {role}."
                found.append(checks.Warning(said, hint=hint, id="eqtrade.W005"))
    return found


def _unlimited(cursor: CursorWrapper, role: str) -> list[CheckMessage]:
    cursor.execute(
        "SELECT name FROM pg_settings WHERE setting = '0' AND name IN"
        " ('idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout')"
    )
    return [
        Error(
            f"{name} of the role {role} is off: one hung request could hold up every position.",
            hint="Run `python -m eqtrade.database_roles`.",
            id="eqtrade.E014",
        )
        for (name,) in cursor.fetchall()
    ]


@register(Tags.database, deploy=True)
def nobody_has_the_known_password(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    if not databases:
        return []
    # Here, as it brings in much that no other start needs.
    from eqtrade.seed import DEFAULT_PASSWORD, USERS

    users = User.objects.filter(username__in=[user.name for user in USERS], is_active=True)
    known = [u.username for u in users if check_password(DEFAULT_PASSWORD, u.password)]
    if not known:
        return []
    said = f"These users have the demo's password: {', '.join(sorted(known))}."
    return [Error(said, hint="manage.py changepassword NAME", id="eqtrade.E015")]


@register(Tags.database, deploy=True)
def broker_keeps_what_it_has(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """Whether Redis throws queued tasks away. Managed ones may refuse to say; that is no error."""
    if not databases or not settings.CELERY_BROKER_URL.startswith(("redis", "rediss")):
        return []
    with redis_client(REDIS_TIMEOUT_SECONDS) as client:
        try:
            policy = client.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
        except redis.ResponseError:
            return []
        except redis.RedisError as error:
            return [Error(f"Redis does not answer: {error}", id="eqtrade.E016")]
    if policy == "noeviction":
        return []
    said = (
        f"Redis throws keys away when it is full ({policy}): queued tasks would be lost in silence."
    )
    hint = "Set its maxmemory-policy to noeviction."
    return [Error(said, hint=hint, id="eqtrade.E017")]
