from django.urls import path

from pnl.api.actions import ActionEffectsView
from pnl.api.views import IntradayListView

urlpatterns = [
    path("pnl/intraday/", IntradayListView.as_view(), name="pnl-intraday"),
    path(
        "corporate-actions/<uuid:action_id>/effects/",
        ActionEffectsView.as_view(),
        name="action-effects",
    ),
]
