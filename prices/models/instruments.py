"""Instruments, and the tickers that they had before."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from kernel.fields import NumericField

# Of every instrument, by a constraint, and so of every sum over instruments. Who lets another one
# in must tell sums apart by it first.
CURRENCY = "USD"


class Instrument(models.Model):
    """A listed share. `indices` holds the names of the indices it is a member of.

    One that is not active can only be closed out. With `inactive_since` that holds for trade dates
    from then on: the history before it is booked as any other."""

    ticker = models.CharField(max_length=16, unique=True)
    name = models.CharField(max_length=160, blank=True)
    exchange = models.CharField(max_length=16, default="XNYS")
    currency = models.CharField(max_length=3, default=CURRENCY)
    yahoo_symbol = models.CharField(max_length=24)
    is_active = models.BooleanField(default=True)
    inactive_since = models.DateField(
        null=True,
        blank=True,
        help_text="The first date on which it is listed no more: trades dated before are booked.",
    )
    simulated_level = NumericField(
        null=True,
        editable=False,
        help_text="About which the simulated source moves; where empty, by the ticker alone",
    )
    indices = ArrayField(models.CharField(max_length=32), default=list, blank=True)

    class Meta:
        ordering = ["ticker"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ticker__regex=r"^[A-Z0-9][A-Z0-9.-]*$"), name="instrument_ticker_plain"
            ),
            models.CheckConstraint(condition=Q(currency=CURRENCY), name="instrument_in_usd"),
            models.CheckConstraint(
                condition=Q(simulated_level__isnull=True) | Q(simulated_level__gt=0),
                name="instrument_level_positive",
            ),
            models.CheckConstraint(
                condition=Q(inactive_since__isnull=True) | Q(is_active=False),
                name="instrument_inactive_since",
                violation_error_message="One that is active is not inactive since a date.",
            ),
        ]

    def __str__(self) -> str:
        return self.ticker


_DATES = Func("first", "last", Value("[]"), function="daterange", output_field=DateRangeField())


class InstrumentAlias(models.Model):
    """A ticker that an instrument had, from `first` (null: ever since) to `last`, both inclusive.
    A ticker means one instrument a day."""

    instrument = models.ForeignKey(Instrument, on_delete=models.PROTECT, related_name="aliases")
    ticker = models.CharField(max_length=16)
    first = models.DateField(null=True, blank=True, help_text="Left empty: ever since.")
    last = models.DateField()

    class Meta:
        ordering = ["ticker", "last"]
        verbose_name_plural = "instrument aliases"
        constraints = [
            models.CheckConstraint(
                condition=Q(ticker__regex=r"^[A-Z0-9][A-Z0-9.-]*$"), name="alias_ticker_plain"
            ),
            models.CheckConstraint(
                condition=Q(first__isnull=True) | Q(first__lte=F("last")),
                name="alias_first_not_after_last",
                violation_error_message="The first date is not after the last.",
            ),
            ExclusionConstraint(
                name="alias_means_one_a_day",
                expressions=[
                    ("ticker", RangeOperators.EQUAL),
                    (_DATES, RangeOperators.OVERLAPS),
                ],
                violation_error_message="On some of these dates the ticker has another meaning.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticker}: {self.instrument} until {self.last}"
