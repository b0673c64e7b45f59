"""The months of the record: partitions, made ahead, masked and dropped by the owner's role.

They live in a schema of their own, where the runtime role may nothing: it reaches them through the
table alone. A month that nobody made is no reason to lose a row: those go to a partition for the
rest, and are moved when their month is made.
"""

from datetime import date

from django.db import connection, transaction

SCHEMA = "audit"
REST = "rest"
# An address without its last part.
_NETWORK = (
    "set_masklen(network(set_masklen(address, CASE family(address) WHEN 4 THEN 24 ELSE 48 END)),"
    " masklen(address))"
)


def months_make(first: date, count: int) -> list[str]:
    """Make the partitions of `count` months from that of `first` on; those that are new."""
    made = []
    with transaction.atomic(), connection.cursor() as cursor:
        for ahead in range(count):
            cursor.execute("SELECT eqtrade_audit_month(%s)", [_month(first, ahead)])
            if (name := cursor.fetchone()[0]) is not None:
                made.append(name)
    return made


def months_drop(before: date) -> list[str]:
    """Drop the months that end on or before the month of `before`, and the refusals of then."""
    last = _month(before, 0)
    dropped = [name for name in months() if _month_of(name) < last]
    with transaction.atomic(), connection.cursor() as cursor:
        for name in dropped:
            cursor.execute(f'DROP TABLE {SCHEMA}."{name}"')
        _without_triggers(
            "audit_refusal", "DELETE FROM audit_refusal WHERE minute < %s", last.isoformat()
        )
    return dropped


def addresses_mask(before: date) -> int:
    """Shorten addresses from before that day to their network: /24, or /48 of IPv6; how many."""
    day, count = before.isoformat(), 0
    with transaction.atomic():
        for name in [*(n for n in months() if _month_of(n) <= before), REST]:
            table = f'{SCHEMA}."{name}"'
            mask = f"UPDATE {table} SET address = {_NETWORK} WHERE address <> {_NETWORK}"
            count += _without_triggers(table, f"{mask} AND recorded_at < %s", day)
        count += _without_triggers(
            "audit_refusal",
            # Addresses of one network are one afterwards: their counts are added up.
            f"WITH old AS (DELETE FROM audit_refusal WHERE address <> {_NETWORK}"
            " AND minute < %s RETURNING *)"
            " INSERT INTO audit_refusal (minute, door, address, name, count)"
            f" SELECT minute, door, {_NETWORK}, name, sum(count) FROM old GROUP BY 1, 2, 3, 4"
            " ON CONFLICT (minute, door, address, name)"
            " DO UPDATE SET count = audit_refusal.count + excluded.count",
            day,
        )
    return count


def months() -> list[str]:
    """The months that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = 'audit_record'::regclass AND c.relname <> %s ORDER BY 1",
            [REST],
        )
        return [name for (name,) in cursor.fetchall()]


def months_ahead(today: date) -> int:
    """How many months after this one have a partition, without a gap. No rights are needed."""
    there, ahead = set(months()), 0
    while f"y{_month(today, ahead + 1):%Ym%m}" in there:
        ahead += 1
    return ahead


def rest() -> int:
    """How many rows are of no month that was made."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {SCHEMA}.{REST}")
        return int(cursor.fetchone()[0])


def _month(day: date, ahead: int) -> date:
    months = day.year * 12 + day.month - 1 + ahead
    return date(months // 12, months % 12 + 1, 1)


def _month_of(name: str) -> date:
    return date(int(name[1:5]), int(name[6:8]), 1)


def _without_triggers(table: str, statement: str, value: str) -> int:
    """Run one statement that the table's triggers would refuse: the owner's doing alone."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, [value])
        count = cursor.rowcount
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    return int(count)
