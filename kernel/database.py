"""Database functions and mixins that several apps' models use."""

from typing import Any, ClassVar

import pgtrigger
from django.db import InterfaceError, OperationalError, models
from django.db.backends.utils import CursorWrapper
from django.db.models import Func


class RecordedAt(Func):
    """When the database recorded a row: its own clock, not the client's and not the transaction's
    start. A session setting beats it in tests; a system check refuses that setting elsewhere."""

    function = "eqtrade_recorded_at"
    template = "%(function)s()"
    output_field = models.DateTimeField()


class CurrentTransaction(Func):
    """The 64-bit id of the writing transaction."""

    function = "pg_current_xact_id"
    template = "%(function)s()"

    @property
    def output_field(self) -> Any:
        from kernel.fields import Xid8Field

        return Xid8Field()


def append_only_triggers() -> list[pgtrigger.Trigger]:
    """Refuse UPDATE, DELETE and TRUNCATE: the second lock behind the runtime role's rights."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func="RAISE EXCEPTION 'eqtrade: % is append-only', TG_TABLE_NAME;",
        ),
    ]


class AppendOnly(models.Model):
    """Rows are written once. The runtime role gets SELECT and INSERT only (`grant_runtime`)."""

    class Meta:
        abstract = True


class Kept(models.Model):
    """Rows may change, and none is ever deleted: the runtime role may not (`grant_runtime`). Where
    `CHANGEABLE` names columns, it may change no others."""

    CHANGEABLE: ClassVar[tuple[str, ...]] = ()

    class Meta:
        abstract = True


# Of Django's own: what the admin only adds to, and what is switched off instead of deleted.
ADMIN_LOG, USERS = "django_admin_log", "auth_user"


def append_only_tables() -> list[str]:
    return sorted([ADMIN_LOG, *_tables_of(AppendOnly)])


def kept_tables() -> list[str]:
    return sorted([USERS, *_tables_of(Kept)])


def changeable_columns() -> dict[str, tuple[str, ...]]:
    """Of the kept tables of which only some columns may change: those."""
    from django.apps import apps

    kept = [m for m in apps.get_models() if issubclass(m, Kept) and m.CHANGEABLE]
    return {m._meta.db_table: m.CHANGEABLE for m in kept}


def _tables_of(kind: type[models.Model]) -> list[str]:
    from django.apps import apps

    return [m._meta.db_table for m in apps.get_models() if issubclass(m, kind)]


def lift_timeouts(cursor: CursorWrapper) -> None:
    """For this transaction: what reads or sums everything takes longer than a request may. A
    timeout that this version of PostgreSQL does not know is passed over.

    What only reads may also think between statements for as long as it takes: without a
    transaction id it holds no reader's horizon. Set READ ONLY before."""
    cursor.execute(
        "SELECT set_config(name, '0', true) FROM pg_settings"
        " WHERE name IN ('statement_timeout', 'transaction_timeout')"
        " OR name = 'idle_in_transaction_session_timeout'"
        " AND current_setting('transaction_read_only') = 'on'"
    )


def is_outage(error: BaseException) -> bool:
    """True if the database is away; False if it refused a statement."""
    return isinstance(error, OperationalError | InterfaceError)
