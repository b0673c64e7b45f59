from django.urls import path

from prices.api.actions import (
    ActionCancelView,
    ActionConfirmView,
    ActionListView,
    ActionVersionsView,
    ActionView,
    SuggestionListView,
)
from prices.api.doubts import DoubtListView, DoubtRefuseView, DoubtReleaseView
from prices.api.market import MarketView
from prices.api.views import (
    CloseListView,
    InstrumentListView,
    LinesView,
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
    path("prices/lines/", LinesView.as_view(), name="lines"),
    path("prices/closes/", CloseListView.as_view(), name="closes"),
    path("prices/doubts/", DoubtListView.as_view(), name="doubts"),
    path("prices/doubts/release/", DoubtReleaseView.as_view(), name="doubts-release"),
    path("prices/doubts/refuse/", DoubtRefuseView.as_view(), name="doubts-refuse"),
    path("prices/overrides/", OverrideListView.as_view(), name="overrides"),
    path("prices/overrides/<int:override_id>/end/", OverrideEndView.as_view(), name="override-end"),
    path("corporate-actions/", ActionListView.as_view(), name="actions"),
    path("corporate-actions/suggestions/", SuggestionListView.as_view(), name="suggestions"),
    path("corporate-actions/<uuid:action_id>/", ActionView.as_view(), name="action"),
    path(
        "corporate-actions/<uuid:action_id>/confirm/",
        ActionConfirmView.as_view(),
        name="action-confirm",
    ),
    path(
        "corporate-actions/<uuid:action_id>/cancel/",
        ActionCancelView.as_view(),
        name="action-cancel",
    ),
    path(
        "corporate-actions/<uuid:action_id>/versions/",
        ActionVersionsView.as_view(),
        name="action-versions",
    ),
]
