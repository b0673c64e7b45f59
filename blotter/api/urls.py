from django.urls import path

from blotter.api.alerts import AlertsView, AlertView, FiredView, SeenView
from blotter.api.check import CheckView
from blotter.api.exceptions import ExceptionReviewView, ExceptionsView
from blotter.api.saved_views import SavedViewsView, SavedViewView
from blotter.api.views import PnlListView, PositionListView

urlpatterns = [
    path("trades/check/", CheckView.as_view(), name="trades-check"),
    path("exceptions/", ExceptionsView.as_view(), name="exceptions"),
    path("exceptions/review/", ExceptionReviewView.as_view(), name="exceptions-review"),
    path("alerts/", AlertsView.as_view(), name="alerts"),
    path("alerts/fired/", FiredView.as_view(), name="alerts-fired"),
    path("alerts/seen/", SeenView.as_view(), name="alerts-seen"),
    path("alerts/<uuid:alert_id>/", AlertView.as_view(), name="alert"),
    path("views/", SavedViewsView.as_view(), name="views"),
    path("views/<uuid:view_id>/", SavedViewView.as_view(), name="view"),
    path("positions/", PositionListView.as_view(), name="positions"),
    path("pnl/", PnlListView.as_view(), name="pnl"),
]
