from django.urls import path

from prices.api.doubts import DoubtListView, DoubtRefuseView, DoubtReleaseView
from prices.api.market import MarketView
from prices.api.views import (
    CloseListView,
    InstrumentListView,
    OverrideEndView,
    OverrideListView,
    PriceListView,
    SeriesView,
)

urlpatterns = [
    path("market/", MarketView.as_view(), name="market"),
    path("instruments/", InstrumentListView.as_view(), name="instruments"),
    path("prices/", PriceListView.as_view(), name="prices"),
    path("prices/series/", SeriesView.as_view(), name="series"),
    path("prices/closes/", CloseListView.as_view(), name="closes"),
    path("prices/doubts/", DoubtListView.as_view(), name="doubts"),
    path("prices/doubts/release/", DoubtReleaseView.as_view(), name="doubts-release"),
    path("prices/doubts/refuse/", DoubtRefuseView.as_view(), name="doubts-refuse"),
    path("prices/overrides/", OverrideListView.as_view(), name="overrides"),
    path("prices/overrides/<int:override_id>/end/", OverrideEndView.as_view(), name="override-end"),
]
