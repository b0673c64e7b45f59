"""The pages that let people in, and those that change what lets them in. Whatever is wrong is
counted where it is looked at.

Those of the second factor are django-allauth's, in our own dress.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.utils import perform_login
from allauth.account.views import reauthenticate
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery
from allauth.mfa.totp import views as totp
from django.conf import settings
from django.contrib.auth import authenticate, views
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.contrib.auth.models import User
from django.forms import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.cache import never_cache

from accounts.oidc import oidc_callback, oidc_login
from accounts.second_factor import is_demanded, is_offered

View = Callable[..., HttpResponseBase]


class LoginView(views.LoginView):
    """The right password is half of a login for who has a second factor: its page comes next."""

    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        answer: HttpResponse = perform_login(
            self.request, form.get_user(), redirect_url=self.get_success_url()
        )
        return answer

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        oidc = settings.OIDC_NAME if settings.OIDC_ISSUER else ""
        return super().get_context_data(oidc=oidc, **more)


def login(request: HttpRequest) -> HttpResponseBase:
    answer = LoginView.as_view()(request)
    if settings.OIDC_ORIGINS:
        # A browser lets its form lead there, from this page alone.
        answer._csp_update = {"form-action": settings.OIDC_ORIGINS}  # type: ignore[attr-defined]
    return answer


class CountedPasswordForm(PasswordChangeForm):
    """The old password is tried as at every door."""

    def __init__(self, request: HttpRequest, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._request = request

    def clean_old_password(self) -> str:
        given = str(self.cleaned_data["old_password"])
        found = authenticate(self._request, username=self.user.get_username(), password=given)
        if not isinstance(found, User) or found.pk != self.user.pk:
            code = "password_incorrect"
            raise ValidationError(self.error_messages[code], code=code)
        # A hash that was made anew is the same password; nothing older is written back.
        self.user.password = found.password
        return given


class PasswordView(views.PasswordChangeView):
    form_class = CountedPasswordForm
    template_name = "blotter/password.html"

    def get_form_kwargs(self) -> dict[str, Any]:
        return {"request": self.request, **super().get_form_kwargs()}


def _where_offered(view: View) -> View:
    """Where nobody has a second factor there are no pages for it, and nothing is stored."""

    @never_cache
    @wraps(view)
    def page(request: HttpRequest, *args: Any, **more: Any) -> HttpResponseBase:
        if not is_offered():
            raise Http404
        return view(request, *args, **more)

    return page


def _second_factor(request: HttpRequest) -> HttpResponseBase:
    demanded = {"is_demanded": is_demanded(request.user)} if request.user.pk else {}
    answer: HttpResponseBase = mfa.IndexView.as_view(extra_context=demanded)(request)
    return answer


_SECOND_FACTOR: dict[str, tuple[str, View]] = {
    "reauthenticate/": ("account_reauthenticate", reauthenticate),
    "second-factor/": ("mfa_index", _second_factor),
    "second-factor/authenticate/": ("mfa_authenticate", mfa.authenticate),
    "second-factor/reauthenticate/": ("mfa_reauthenticate", mfa.reauthenticate),
    "second-factor/totp/activate/": ("mfa_activate_totp", totp.activate_totp),
    "second-factor/totp/deactivate/": ("mfa_deactivate_totp", totp.deactivate_totp),
    "second-factor/recovery-codes/": (
        "mfa_view_recovery_codes",
        recovery.view_recovery_codes,
    ),
    "second-factor/recovery-codes/generate/": (
        "mfa_generate_recovery_codes",
        recovery.generate_recovery_codes,
    ),
}

urlpatterns: list[URLPattern] = [
    path("login/", login, name="login"),
    # The name that django-allauth sends to.
    path("login/", login, name="account_login"),
    # Not the names that the admin's own templates have.
    path("password/", PasswordView.as_view(), name="password_change"),
    path(
        "password/done/",
        views.PasswordChangeDoneView.as_view(template_name="blotter/password_done.html"),
        name="password_change_done",
    ),
    *(path(at, _where_offered(view), name=name) for at, (name, view) in _SECOND_FACTOR.items()),
    path("oidc/<str:provider_id>/login/", oidc_login, name="openid_connect_login"),
    path("oidc/<str:provider_id>/login/callback/", oidc_callback, name="openid_connect_callback"),
]
