from django.urls import path

from blotter.api.views import PnlListView, PositionListView

urlpatterns = [
    path("positions/", PositionListView.as_view(), name="positions"),
    path("pnl/", PnlListView.as_view(), name="pnl"),
]
