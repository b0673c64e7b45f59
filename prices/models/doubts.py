"""Prices that are held back, and those that were nearly."""

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from kernel.database import Kept, append_only_triggers
from kernel.fields import NumericField
from prices.models.instruments import Instrument


class CloseDoubt(Kept):
    """A price from a source that is not plausible: a close, or a quote on its way to one.

    It is held back, and stays so until a person releases or refuses it, or the source or a close by
    hand says better. A close that moved far and was borne out is recorded at once, and listed here.
    `compared_with` is what the price was found far from: what was recorded of the session, the
    close before, or the last quote. Decided once, and never taken away.
    """

    class Kind(models.TextChoices):
        REWRITTEN = "rewritten", "another close of a session that has one"
        MOVED = "moved", "a close far from the one before"
        QUOTE = "quote", "a quote far from the last"

    class State(models.TextChoices):
        HELD = "held", "held back"
        RECORDED = "recorded", "recorded: the session's quotes bear it out"
        RELEASED = "released", "released"
        REFUSED = "refused", "refused"
        OVERTAKEN = "overtaken", "overtaken by a better price"

    BY_A_PERSON = (State.RELEASED, State.REFUSED)

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="doubts")
    session = models.DateField()
    source = models.CharField(max_length=16)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    price = NumericField()
    compared_with = NumericField()
    as_of = models.DateTimeField(null=True, help_text="When a quote was made")
    raised_at = models.DateTimeField()
    state = models.CharField(max_length=16, choices=State.choices, default=State.HELD)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True
    )
    reason = models.CharField(max_length=200, blank=True, db_default="")

    CHANGEABLE = ("state", "decided_at", "decided_by_id", "reason")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(price__gt=0), name="doubt_price_positive"),
            models.CheckConstraint(
                condition=Q(compared_with__gt=0), name="doubt_compared_positive"
            ),
            models.CheckConstraint(
                condition=Q(kind="quote", as_of__isnull=False)
                | (~Q(kind="quote") & Q(as_of__isnull=True)),
                name="doubt_as_of_a_quote",
            ),
            models.CheckConstraint(
                condition=Q(state="held", decided_at__isnull=True)
                | (~Q(state="held") & Q(decided_at__isnull=False)),
                name="doubt_decided_at",
            ),
            models.CheckConstraint(
                condition=(Q(state__in=["released", "refused"]) & Q(decided_by__isnull=False))
                & ~Q(reason="")
                | (~Q(state__in=["released", "refused"]) & Q(decided_by__isnull=True)),
                name="doubt_decided_by_a_person",
            ),
            models.UniqueConstraint(
                fields=["instrument", "session", "source", "kind"],
                condition=Q(state="held"),
                name="doubt_held_once",
            ),
        ]
        indexes = [
            models.Index(fields=["instrument", "session", "source"], name="doubt_of_a_close"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="decided_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                func=(
                    "IF TG_OP = 'UPDATE' AND OLD.state = 'held'"
                    " AND to_jsonb(NEW) - '{state,decided_at,decided_by_id,reason}'::text[]"
                    " = to_jsonb(OLD) - '{state,decided_at,decided_by_id,reason}'::text[]"
                    " THEN RETURN NEW; END IF;"
                    " RAISE EXCEPTION 'eqtrade: a doubt is decided once, and stays';"
                ),
            ),
            *append_only_triggers()[1:],
        ]

    def __str__(self) -> str:
        return f"{self.instrument} {self.session} {self.price} ({self.state})"
