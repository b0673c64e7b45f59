from django.urls import path

from trades.api.views import TradeListView, TradeView

urlpatterns = [
    path("trades/", TradeListView.as_view(), name="trades"),
    path("trades/<uuid:trade_id>/", TradeView.as_view(), name="trade"),
]
