"""What is counted of bookings and imports (`kernel.counts`)."""

from django.http import HttpRequest, HttpResponse

from kernel.counts import counter, durations

BOOKING_PATH = "/api/v1/trades/"

BOOKING_SECONDS = durations(
    "booking_seconds",
    "Requests to book one trade: how long the application took, by what came of them",
    *(0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
    outcome=("booked", "booked_before", "asked", "refused", "not_allowed", "failed"),
)
VERSIONS = counter(
    "trade_versions",
    "Versions of trades that were written, by every way: one, many, or a file",
    change=("booked", "amended", "cancelled"),
)
IMPORT_ROWS = counter(
    "import_rows",
    "Rows of imported files that were done, those of dry runs left out",
    outcome=("booked", "rejected", "held", "passed_over"),
)


def booking_answered(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    """Count a request if it was to book a trade."""
    if request.method == "POST" and request.path == BOOKING_PATH:
        BOOKING_SECONDS.add(seconds, outcome=_outcome_of(response))


def _outcome_of(response: HttpResponse) -> str:
    """`asked` is what a guard asks about; the same call may be booked when it confirms."""
    match response.status_code:
        case 201:
            return "booked"
        case 200:
            return "booked_before"
        case 401 | 403 | 429:
            return "not_allowed"
        case 409 if getattr(response, "data", {}).get("type") == "confirmation_required":
            return "asked"
        case status if status < 500:
            return "refused"
    return "failed"
