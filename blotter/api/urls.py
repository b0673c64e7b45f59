from django.urls import path

from blotter.api.check import CheckView
from blotter.api.views import PnlListView, PositionListView

urlpatterns = [
    path("trades/check/", CheckView.as_view(), name="trades-check"),
    path("positions/", PositionListView.as_view(), name="positions"),
    path("pnl/", PnlListView.as_view(), name="pnl"),
]
