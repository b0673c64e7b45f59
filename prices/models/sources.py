"""The price sources' answers and failures."""

from django.db import models


class SourceState(models.Model):
    """A source's recent answers. After a failure it is left alone until `retry_at`."""

    source = models.CharField(max_length=16, unique=True)
    last_attempt_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    fetch_seconds = models.FloatField(null=True, help_text="How long the last answered call took")
    failures_in_a_row = models.PositiveIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_failure_kind = models.CharField(max_length=16, blank=True)
    last_failure = models.CharField(max_length=200, blank=True)
    left_out = models.JSONField(
        default=dict,
        db_default={},
        help_text="Tickers that are answered from another listing",
    )
    stream_seen_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.source


class SourceFailure(models.Model):
    """The count of a source's failures of one kind, ever."""

    source = models.CharField(max_length=16)
    kind = models.CharField(max_length=16)
    count = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "kind"], name="source_failure_once"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.kind}: {self.count}"
