from django.urls import path

from positions.api.views import SnapshotListView

urlpatterns = [
    path("positions/snapshots/", SnapshotListView.as_view(), name="snapshots"),
]
