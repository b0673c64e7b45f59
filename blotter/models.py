"""What the blotter keeps of its own: reviews of exceptions, and people's views of the page. All
else is what other apps keep."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q

from kernel.database import AppendOnly, RecordedAt, append_only_triggers
from pnl.models import DailyPnl


class PnlDay(DailyPnl):
    """P&L by account and day in the admin: final, provisional and live."""

    class Meta:
        proxy = True
        verbose_name = "P&L by account and day"
        verbose_name_plural = "P&L by account and day"
        default_permissions = ("view",)


class ExceptionReview(AppendOnly):
    """Somebody looked at an exception and says what they found. `kind` and `key` name it (see
    blotter.exceptions); the last review of it counts, and the earlier ones stay."""

    kind = models.CharField(max_length=16)
    key = models.CharField(max_length=120)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )
    comment = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("review_exceptions", "May see and review exceptions")]
        constraints = [
            models.CheckConstraint(condition=~Q(comment=""), name="review_has_comment"),
        ]
        indexes = [models.Index(fields=["kind", "key", "-id"], name="review_latest")]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.comment}"


class SavedView(models.Model):
    """How a person likes the page, under a name: which accounts (null: all of theirs), and in
    `state` what the page keeps of columns, sorts, filters, grouping and window. A shared one is
    shown to whoever has its link."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=64)
    accounts = models.JSONField(null=True)
    state = models.JSONField()
    is_default = models.BooleanField(default=False)
    is_shared = models.BooleanField(default=False)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="view_named_once"),
            models.UniqueConstraint(
                fields=["user"], condition=Q(is_default=True), name="view_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name
