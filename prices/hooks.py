"""The hooks of prices: questions to the apps above it, and news for them."""

from collections.abc import Collection, Iterable
from datetime import date, datetime

from kernel.hooks import Hook

# Which of these instruments, which no index makes priced, need prices at this moment? Ids.
instruments_needed: Hook[[Collection[int], datetime], Iterable[int]] = Hook()

# Since when are prices needed? None: not yet.
first_day_needed: Hook[[], date | None] = Hook()

# A refresh has recorded quotes; all are committed.
quotes_refreshed: Hook[[], None] = Hook()

# These closes (instrument id, session) are being recorded, in this transaction.
closes_recorded: Hook[[Iterable[tuple[int, date]]], None] = Hook()

# The hours of a day are being changed, in this transaction. The first such day.
hours_changed: Hook[[date], None] = Hook()

# What counts of corporate actions of these instruments is being decided, in this transaction.
actions_decided: Hook[[Iterable[int]], None] = Hook()
