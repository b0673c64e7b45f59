from django.urls import path

from accounts.api.tokens import TokenDetailView, TokenListView, TokenView
from accounts.api.views import AccountListView

urlpatterns = [
    path("accounts/", AccountListView.as_view(), name="accounts"),
    path("token/", TokenView.as_view(), name="token"),
    path("tokens/", TokenListView.as_view(), name="tokens"),
    path("tokens/<int:token>/", TokenDetailView.as_view(), name="token-detail"),
]
