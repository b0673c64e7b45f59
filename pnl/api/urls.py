from django.urls import path

from pnl.api.views import IntradayListView

urlpatterns = [
    path("pnl/intraday/", IntradayListView.as_view(), name="pnl-intraday"),
]
