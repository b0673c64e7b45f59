from django.urls import path

from trades.api.bulk import BulkView, GenerateView
from trades.api.corrections import TradeCancelView, TradeVersionsView, TradeView
from trades.api.fees import FeeSchedulesView
from trades.api.guards import AskedView, GuardsView
from trades.api.held import ImportHeldBookView, ImportHeldDropView, ImportHeldView
from trades.api.imports import (
    ImportErrorsView,
    ImportListView,
    ImportUndoView,
    ImportView,
)
from trades.api.limits import BreachesView, LimitsView
from trades.api.mappings import ImportMappingsView, ImportMappingView
from trades.api.previews import ImportPreviewView, ImportProfilesView
from trades.api.tags import TradeTagsView
from trades.api.views import TradeListView

urlpatterns = [
    path("trades/", TradeListView.as_view(), name="trades"),
    path("trades/bulk/", BulkView.as_view(), name="trades-bulk"),
    path("trades/generate/", GenerateView.as_view(), name="trades-generate"),
    path("trades/imports/", ImportListView.as_view(), name="imports"),
    path("trades/imports/preview/", ImportPreviewView.as_view(), name="import-preview"),
    path("trades/imports/profiles/", ImportProfilesView.as_view(), name="import-profiles"),
    path("trades/imports/mappings/", ImportMappingsView.as_view(), name="import-mappings"),
    path("trades/imports/mappings/<str:name>/", ImportMappingView.as_view(), name="import-mapping"),
    path("trades/imports/<uuid:import_id>/", ImportView.as_view(), name="import"),
    path(
        "trades/imports/<uuid:import_id>/errors.csv",
        ImportErrorsView.as_view(),
        name="import-errors",
    ),
    path("trades/imports/<uuid:import_id>/undo/", ImportUndoView.as_view(), name="import-undo"),
    path("trades/imports/<uuid:import_id>/held/", ImportHeldView.as_view(), name="import-held"),
    path(
        "trades/imports/<uuid:import_id>/held/book/",
        ImportHeldBookView.as_view(),
        name="import-held-book",
    ),
    path(
        "trades/imports/<uuid:import_id>/held/drop/",
        ImportHeldDropView.as_view(),
        name="import-held-drop",
    ),
    path("fees/schedules/", FeeSchedulesView.as_view(), name="fee-schedules"),
    path("guards/", GuardsView.as_view(), name="guards"),
    path("limits/", LimitsView.as_view(), name="limits"),
    path("breaches/", BreachesView.as_view(), name="breaches"),
    path("guards/asked/", AskedView.as_view(), name="guards-asked"),
    path("trades/<uuid:trade_id>/", TradeView.as_view(), name="trade"),
    path("trades/<uuid:trade_id>/cancel/", TradeCancelView.as_view(), name="trade-cancel"),
    path("trades/<uuid:trade_id>/tags/", TradeTagsView.as_view(), name="trade-tags"),
    path("trades/<uuid:trade_id>/versions/", TradeVersionsView.as_view(), name="trade-versions"),
]
