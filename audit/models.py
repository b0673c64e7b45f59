"""The record. It refers to nothing by key: what it tells of may be gone, or renamed since."""

import pgtrigger
from django.db import models

from kernel.database import AppendOnly, Kept, RecordedAt, append_only_triggers


class Record(AppendOnly):
    """One thing that was done. Who did it keeps the name they had then.

    The table is partitioned by month (`manage.py audit_keep`): only whole months are ever dropped.
    Of a change, `before` and `after` hold the columns that differ, of a creation or deletion the
    whole row; secrets are `***`. `source` is what it came through.
    """

    id = models.BigAutoField(primary_key=True)
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)
    event = models.CharField(max_length=40)
    actor = models.BigIntegerField(null=True, help_text="The id of the user who did it")
    actor_name = models.CharField(max_length=150, blank=True)
    address = models.GenericIPAddressField(null=True)
    source = models.CharField(max_length=200, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=400, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering = ["-recorded_at", "-id"]
        indexes = [
            models.Index(fields=["-recorded_at", "-id"], name="audit_by_time"),
            models.Index(fields=["event", "-recorded_at"], name="audit_by_event"),
            models.Index(fields=["actor", "-recorded_at"], name="audit_by_actor"),
            models.Index(fields=["object_name", "-recorded_at"], name="audit_by_object"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.event} {self.object_name} by {self.actor_name or self.source}"


class Refusal(Kept):
    """Logins that a throttle refused, added up by minute, door, address and name: a row each would
    let a stranger fill the disk. A name that no user has is hashed, as it may be a password.

    A count only grows, and no row is ever taken away: by a trigger, and by the runtime role's
    rights."""

    minute = models.DateTimeField()
    door = models.CharField(max_length=20)
    address = models.GenericIPAddressField(null=True)
    name = models.CharField(max_length=150)
    count = models.PositiveBigIntegerField(default=1)

    class Meta:
        ordering = ["-minute"]
        constraints = [
            models.UniqueConstraint(
                fields=["minute", "door", "address", "name"],
                nulls_distinct=False,
                name="refusal_once_a_minute",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="only_grows",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=(
                    "IF TG_OP = 'UPDATE' AND NEW.count > OLD.count"
                    " AND to_jsonb(NEW) - 'count' = to_jsonb(OLD) - 'count' THEN RETURN NEW;"
                    " END IF; RAISE EXCEPTION 'eqtrade: a count of refusals only grows';"
                ),
            ),
            *append_only_triggers()[1:],
        ]

    def __str__(self) -> str:
        return f"{self.minute} {self.door} {self.name}: {self.count}"
