"""The hooks of P&L: news for the apps above it."""

from kernel.hooks import Hook

# The readers of P&L have applied entries of the ledger; all are committed.
entries_applied: Hook[[], None] = Hook()
