from django.urls import path

from accounts.api.named import CounterpartyListView, StrategyListView
from accounts.api.tokens import TokenDetailView, TokenListView, TokenView
from accounts.api.views import AccountListView

urlpatterns = [
    path("accounts/", AccountListView.as_view(), name="accounts"),
    path("strategies/", StrategyListView.as_view(), name="strategies"),
    path("counterparties/", CounterpartyListView.as_view(), name="counterparties"),
    path("token/", TokenView.as_view(), name="token"),
    path("tokens/", TokenListView.as_view(), name="tokens"),
    path("tokens/<int:token>/", TokenDetailView.as_view(), name="token-detail"),
]
