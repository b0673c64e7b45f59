from django.urls import path

from trades.api.bulk import BulkView, GenerateView
from trades.api.corrections import TradeCancelView, TradeVersionsView, TradeView
from trades.api.views import TradeListView

urlpatterns = [
    path("trades/", TradeListView.as_view(), name="trades"),
    path("trades/bulk/", BulkView.as_view(), name="trades-bulk"),
    path("trades/generate/", GenerateView.as_view(), name="trades-generate"),
    path("trades/<uuid:trade_id>/", TradeView.as_view(), name="trade"),
    path("trades/<uuid:trade_id>/cancel/", TradeCancelView.as_view(), name="trade-cancel"),
    path("trades/<uuid:trade_id>/versions/", TradeVersionsView.as_view(), name="trade-versions"),
]
