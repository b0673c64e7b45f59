from django.urls import path

from pnl.api.actions import ActionEffectsView
from pnl.api.realized import RealizedCsvView, RealizedExcelView, RealizedListView
from pnl.api.views import IntradayListView

urlpatterns = [
    path("pnl/realized/", RealizedListView.as_view(), name="pnl-realized"),
    path("pnl/realized.csv", RealizedCsvView.as_view(), name="pnl-realized-csv"),
    path("pnl/realized.xlsx", RealizedExcelView.as_view(), name="pnl-realized-xlsx"),
    path("pnl/intraday/", IntradayListView.as_view(), name="pnl-intraday"),
    path(
        "corporate-actions/<uuid:action_id>/effects/",
        ActionEffectsView.as_view(),
        name="action-effects",
    ),
]
