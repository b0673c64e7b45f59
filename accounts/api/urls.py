from django.urls import path

from accounts.api.views import AccountListView

urlpatterns = [path("accounts/", AccountListView.as_view(), name="accounts")]
