"""Each list of the API once more as `bare/…` and as `usual/…`."""

from django.urls import path

from benchmarks.designs import bare_reads, usual_pnl, usual_reads
from eqtrade.urls import urlpatterns as ours

urlpatterns = [
    path("api/v1/bare/<str:name>/", bare_reads.BareView.as_view()),
    path("api/v1/usual/positions/", usual_reads.PositionList.as_view()),
    path("api/v1/usual/trades/", usual_reads.TradeList.as_view()),
    path("api/v1/usual/prices/", usual_reads.PriceList.as_view()),
    path("api/v1/usual/pnl/", usual_pnl.PnlView.as_view()),
    *ours,
]
