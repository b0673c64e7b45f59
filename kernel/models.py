"""What was confirmed, and permissions that belong to no table of ours."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from kernel.database import AppendOnly, RecordedAt, append_only_triggers


class Confirmation(AppendOnly):
    """A token of `kernel.confirmation` that was spent: on what, by whom, and what they were asked.
    That it is unique is what makes a token good for one success."""

    nonce = models.UUIDField(unique=True)
    what = models.CharField(max_length=40)
    codes = ArrayField(models.CharField(max_length=40))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.what}: {', '.join(self.codes)}"


class Duties(models.Model):
    """No table: what may be done beyond changing rows."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [("schedules", "May change when tasks run, and whether")]

    def __str__(self) -> str:
        return "duties"
