"""Commits that are answered for when a second server has them too.

With DATABASE_SYNCHRONOUS the database is a primary and a synchronous standby. A commit then waits
for the standby, behind the point where it can be undone, and two things can end that wait early:

- Who cancels the statement is answered with success, and a warning beside it. Such a commit is not
  answered for: it raises `NotReplicated`.
- A backend that is terminated leaves its commit on the primary alone. Whoever repeats meets the
  row there, writes nothing, and would wait for nothing: `await_standby` before the answer has the
  standby confirm a record behind that row (kernel.api.writing).

Without the setting nothing here runs.
"""

from typing import Any
from weakref import ref

import psycopg
from django.conf import settings
from django.db import connection

# Where PostgreSQL waits for a standby; its text may be in any language.
WAIT = "SyncRepWaitForLSN"
_MARK = "_ended_its_wait"


def is_on() -> bool:
    """Whether commits wait for a standby here."""
    return bool(settings.DATABASE_SYNCHRONOUS)


def watch(opened: psycopg.Connection[Any]) -> None:
    """Note on the connection when a commit of it did not wait to the end."""
    # It keeps its handlers: one that kept it would let it go only with the collector.
    watched = ref(opened)

    def notice(said: psycopg.errors.Diagnostic) -> None:
        if said.source_function == WAIT:
            setattr(watched(), _MARK, True)

    opened.add_notice_handler(notice)


def ended_early(opened: psycopg.Connection[Any] | None) -> bool:
    """Whether a commit ended its wait since this was asked last."""
    if opened is None or not getattr(opened, _MARK, False):
        return False
    setattr(opened, _MARK, False)
    return True


def await_standby() -> None:
    """Have the standby confirm all that was committed up to now, by whomever; inside a transaction
    its commit does.

    Raises what a commit raises. A record without meaning is written, in a transaction of its own:
    reading alone waits for nobody.
    """
    if not is_on():
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_logical_emit_message(true, 'eqtrade', '')")
