"""Every address that the WSGI processes serve. The websocket's is in eqtrade.asgi."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import URLPattern, URLResolver, include, path, register_converter
from django.urls.converters import StringConverter
from drf_spectacular.views import SpectacularAPIView

from eqtrade import health
from eqtrade.api import ApiNotFoundView, SystemView
from eqtrade.api_docs import ApiDocsView
from eqtrade.metrics import metrics

admin.site.site_header = admin.site.site_title = "eqtrade"
admin.site.index_title = "Corrections, accounts, prices and schedules"

handler400 = "eqtrade.refusals.bad_request"
handler404 = "eqtrade.refusals.not_found"
handler500 = "eqtrade.refusals.server_error"

_READ = ["get", "head"]


class Anything(StringConverter):
    """Django's own `path` leaves out line breaks, and nothing at all."""

    regex = "(?s:.*)"


register_converter(Anything, "anything")

# What is asked most stands first: an address is looked for from the top.
api: list[URLPattern | URLResolver] = [
    path("", include("trades.api.urls")),
    path("", include("accounts.api.urls")),
    path("", include("prices.api.urls")),
    path("", include("positions.api.urls")),
    path("", include("pnl.api.urls")),
    path("", include("blotter.api.urls")),
    path("system/", SystemView.as_view(), name="system"),
    # Without OPTIONS: they can only answer as documents.
    path("schema/", SpectacularAPIView.as_view(http_method_names=_READ), name="schema"),
    path(
        "docs/",
        ApiDocsView.as_view(url_name="schema", http_method_names=_READ),
        name="docs",
    ),
    path("<anything:rest>", ApiNotFoundView.as_view()),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("", include("blotter.urls")),
    path("admin/", admin.site.urls),
    path("", include("blotter.login_pages")),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
    path("internal/staff/", health.staff_only, name="staff-only"),
]
