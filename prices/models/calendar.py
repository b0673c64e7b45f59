"""Days that differ from the published calendars, of sessions and of settlement."""

from datetime import time

import pgtrigger
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Q

from kernel.database import AppendOnly, append_only_triggers


def _restamps() -> list[pgtrigger.Trigger]:
    """Each change of the table, in its own transaction, makes what is kept of it out of date."""
    return [
        pgtrigger.Trigger(
            name="restamp",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete | pgtrigger.Truncate,
            func=(
                "INSERT INTO prices_calendarstamp (id, stamp) VALUES (1, gen_random_uuid())"
                " ON CONFLICT (id) DO UPDATE SET stamp = excluded.stamp;"
                " RETURN NULL;"
            ),
        ),
    ]


class SessionOverride(models.Model):
    """A day on which the exchange keeps other hours than its calendar says."""

    date = models.DateField(unique=True)
    is_closed = models.BooleanField(default=False)
    early_close = models.TimeField(
        null=True, blank=True, help_text="New York time, of 24 hours: 13:00, not 1:00."
    )
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["-date"]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_closed=True, early_close__isnull=True)
                | Q(is_closed=False, early_close__isnull=False),
                name="session_override_closed_or_early",
                violation_error_message="A day is either closed or has an early close.",
            ),
            # 1:00 typed for 1 p.m. would end the day that runs, and take its prices for closes.
            models.CheckConstraint(
                condition=Q(early_close__gt=time(9, 30), early_close__lte=time(16)),
                name="session_override_in_hours",
                violation_error_message=(
                    "An early close is after 9:30 and not after 16:00, New York time;"
                    " 1 p.m. is 13:00."
                ),
            ),
        ]
        triggers = _restamps()

    def __str__(self) -> str:
        return f"{self.date}: {'closed' if self.is_closed else self.early_close}"


class SettlementOverride(models.Model):
    """A day on which trades settle, or do not, whatever calendars say. It counts for what is booked
    from then on: trades keep the settlement date that they have."""

    date = models.DateField(unique=True)
    settles = models.BooleanField(default=False)
    reason = models.CharField(max_length=200)

    class Meta:
        ordering = ["-date"]
        triggers = _restamps()

    def __str__(self) -> str:
        return f"{self.date}: {'settles' if self.settles else 'does not settle'}"


class SettlementDay(AppendOnly):
    """The day on which a trade of a date settles by the published calendars alone: for entries
    that were written before trades said it. Filled by a migration, for every day there is."""

    trade_date = models.DateField(unique=True)
    settles_on = models.DateField()

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.trade_date}: {self.settles_on}"


class CalendarStamp(models.Model):
    """One row: the same stamp means the same overrides of sessions and settlement.

    Each statement that changes overrides rewrites it, by a trigger in its own transaction, so it
    is seen with them or not at all, and changes wait for each other at this row. It is random:
    a sequence or a time is taken before the commit, and commits may come in another order.
    """

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    stamp = models.UUIDField(db_default=RandomUUID(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="calendar_stamp_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.stamp)
