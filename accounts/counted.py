"""What is counted of the credentials of programs (`kernel.counts`)."""

from kernel.counts import counter

TOKEN_CALLS = counter(
    "token_calls",
    "Requests with a token, by what came of it",
    outcome=("let_in", "unknown", "inactive", "second_factor", "scope"),
)
