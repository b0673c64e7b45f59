from django.urls import path

from positions.api.differences import DifferenceListView
from positions.api.settlement import SettlementListView
from positions.api.views import SnapshotListView

urlpatterns = [
    path("positions/settlement/", SettlementListView.as_view(), name="settlement"),
    path("positions/snapshots/", SnapshotListView.as_view(), name="snapshots"),
    path(
        "positions/snapshots/differences/",
        DifferenceListView.as_view(),
        name="snapshot-differences",
    ),
]
