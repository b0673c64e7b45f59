"""Other ways of doing what eqtrade does, to measure it beside: the barest, and the usual."""

SESSION, PREVIOUS = "BENCH_SESSION", "BENCH_PREVIOUS"
"""The environment's names of the business date and of the session before it."""
TRADE_DATE = "BENCH_TRADE_DATE"
"""The environment's name of the date that bookings get."""
