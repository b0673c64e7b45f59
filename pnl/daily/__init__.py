"""End-of-day P&L: computed, written, read, made final and restated."""
