"""The pages: one shell for all of them, which knows who is asking and which page is wanted."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie

from accounts.second_factor import is_offered
from kernel.authorization import may_call

# Address → the source file of that page, whose code the browser then fetches at once instead of
# after the shell has run.
PAGES = {
    "": "src/pages/Positions.svelte",
    "bulk/": "src/pages/Bulk.svelte",
    "prices/": "src/pages/Prices.svelte",
    "pnl/": "src/pages/Pnl.svelte",
    "actions/": "src/pages/Actions.svelte",
    "alerts/": "src/pages/Alerts.svelte",
    "settlement/": "src/pages/Settlement.svelte",
    "guards/": "src/pages/Guards.svelte",
    "exceptions/": "src/pages/Exceptions.svelte",
    "system/": "src/pages/System.svelte",
}
# One instrument in a window of its own.
INSTRUMENT = "src/pages/Instrument.svelte"


@ensure_csrf_cookie
def page(request: HttpRequest, source: str, ticker: str = "") -> HttpResponse:
    """The shell; which `ticker` an address names is read by the page itself."""
    boot = {
        "user": request.user.get_username(),
        "is_staff": request.user.is_staff,
        "may_override": may_call(request.user, "api/v1/prices/overrides/", "POST"),
        "may_manage_actions": may_call(request.user, "api/v1/corporate-actions/", "POST"),
        "may_manage_guards": may_call(request.user, "api/v1/guards/", "PUT"),
        "may_review": may_call(request.user, "api/v1/exceptions/", "GET"),
        "may_add_instruments": may_call(request.user, "api/v1/instruments/", "POST"),
    }
    shown = {"boot": boot, "source": source, "second_factor": is_offered()}
    return render(request, "blotter/page.html", shown)
