"""A CSV file that is being booked, or was: where every worker reaches it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from kernel.database import RecordedAt


class ImportState(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNDONE = "undone"


OPEN_STATES = (ImportState.QUEUED.value, ImportState.RUNNING.value)


class GuardsMode(models.TextChoices):
    """What becomes of rows that guards warn of: booked and listed, held until somebody books them,
    or refused."""

    WARN = "warn"
    HOLD = "hold"
    REFUSE = "refuse"


class Import(models.Model):
    """One uploaded file and how far it is booked.

    `place` is the offset of the first byte that is not booked yet, `line` its line number and
    `rows_done` the number of rows before it. They move in the transaction that books, so whoever
    goes on after a crash books nothing twice. The worker that holds `lease` until `lease_until`
    may move them; it extends the lease while it lives. `attempts` counts the workers that took
    the lease since the place last moved.

    An undo is a second run: `undo_reason` is set, `undone_by` says who, `undo_place` is the last
    request group whose trades are cancelled. A dry run books nothing, and starts over when its
    worker dies.
    """

    id = models.UUIDField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    file_name = models.CharField(max_length=200)
    size = models.BigIntegerField()
    columns = ArrayField(models.TextField())
    group_size = models.PositiveIntegerField()
    # What was decided of the file as a whole (trades.imports.reading), so that each worker reads
    # each row alike. Empty: a file of plain columns from before there were readings.
    reading = models.JSONField(default=dict, db_default={})
    # Of its bytes, and the codes of the accounts that it names: the same file is not booked twice.
    file_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    accounts = ArrayField(models.TextField(), default=list, db_default=[])
    # The uploader's own id for this upload, and the hash of what was sent: it is taken once.
    client_import_id = models.UUIDField(null=True)
    upload_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    dry_run = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=ImportState, default=ImportState.QUEUED)
    error = models.TextField(blank=True)
    accepted_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    place = models.BigIntegerField()
    line = models.BigIntegerField()
    rows_total = models.BigIntegerField()
    rows_done = models.BigIntegerField(default=0)
    rows_booked = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    rows_passed_over = models.BigIntegerField(default=0, db_default=0)
    # What becomes of rows that guards warn of (GuardsMode), and how many were booked or are held.
    guards = models.CharField(max_length=6, default="warn", db_default="warn")
    rows_warned = models.BigIntegerField(default=0, db_default=0)
    rows_held = models.BigIntegerField(default=0, db_default=0)
    # How many of them, by what they are: dividends, options, totals.
    passed_over = models.JSONField(default=dict, db_default={})
    # Of the rejected rows that are not written down: how many, by the code of their first error.
    rejected_further = models.JSONField(default=dict, db_default={})

    lease = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)

    undo_reason = models.CharField(max_length=200, blank=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    undo_place = models.UUIDField(null=True)
    trades_cancelled = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "client_import_id"], name="import_once"),
            models.CheckConstraint(
                condition=Q(state__in=ImportState.values), name="import_state_known"
            ),
            models.CheckConstraint(
                condition=Q(guards__in=GuardsMode.values), name="import_guards_known"
            ),
            models.CheckConstraint(
                condition=Q(group_size__gte=1, group_size__lte=10_000), name="import_group_size"
            ),
            models.CheckConstraint(
                condition=Q(
                    dry_run=False,
                    rows_done=F("rows_booked")
                    + F("rows_rejected")
                    + F("rows_passed_over")
                    + F("rows_held"),
                )
                | Q(
                    dry_run=True,
                    rows_booked=0,
                    rows_done__gte=F("rows_rejected") + F("rows_passed_over"),
                ),
                name="import_rows_add_up",
            ),
            models.CheckConstraint(
                condition=Q(rows_done__lte=F("rows_total")), name="import_rows_within"
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="import_by_user"),
            models.Index(fields=["id"], condition=Q(state__in=OPEN_STATES), name="import_open"),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} ({self.state})"


class ImportChunk(models.Model):
    """A piece of the file, all of the same size but the last."""

    import_job = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="chunks", db_index=False
    )
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["import_job", "number"], name="import_chunk_once"),
        ]

    def __str__(self) -> str:
        return f"{self.import_job_id} {self.number}"


class Rejection(models.Model):
    """A row of the file that was not booked, and why."""

    import_job = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="rejections", db_index=False
    )
    line = models.BigIntegerField()
    reason = models.TextField()
    cells = ArrayField(models.TextField())
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["import_job", "line"], name="rejection_once"),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


class HeldRow(models.Model):
    """A row that guards warn of and that waits for a person: `terms` are what was sent of it, as
    JSON, `found` what guards said. Once it is booked or dropped it stays so."""

    class State(models.TextChoices):
        HELD = "held"
        BOOKED = "booked"
        DROPPED = "dropped"

    import_job = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="held", db_index=False
    )
    row = models.BigIntegerField()
    line = models.BigIntegerField()
    terms = models.JSONField()
    found = models.JSONField()
    state = models.CharField(max_length=7, choices=State, default=State.HELD)
    trade = models.ForeignKey(
        "trades.Trade", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["row"]
        constraints = [
            models.UniqueConstraint(fields=["import_job", "row"], name="held_row_once"),
            models.CheckConstraint(
                condition=Q(state="held", decided_at=None, decided_by=None, trade=None)
                | Q(state="booked", decided_at__isnull=False, trade__isnull=False)
                | Q(state="dropped", decided_at__isnull=False, trade=None),
                name="held_row_decided",
            ),
        ]

    def __str__(self) -> str:
        return f"line {self.line}: {self.state}"


class ImportMapping(models.Model):
    """How a person reads files of one kind, under a name: what the columns mean and what else they
    say of such a file, by the fields of an import."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=64)
    said = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="import_mapping_once"),
        ]

    def __str__(self) -> str:
        return self.name
