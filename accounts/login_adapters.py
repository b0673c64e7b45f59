"""What django-allauth asks of us: how people log in with a second factor, or by OIDC.

It has the pages and the protocol; users are made in the admin, nobody signs up, and what is tried
is counted at our own doors.
"""

import logging
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import AbstractBaseUser, User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.sealing import seal, unseal
from accounts.second_factor import is_demanded, is_offered
from audit.context import known_as
from audit.recording import hashed_unless_known, record, refused
from kernel import clock

logger = logging.getLogger(__name__)

OIDC_DOOR = "oidc"


class LoginAdapter(DefaultAccountAdapter):
    """A login has one more step at most: the code."""

    def get_login_stages(self) -> list[str]:
        return ["allauth.mfa.stages.AuthenticateStage"]

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def reauthenticate(self, user: User, password: str) -> bool:
        """As at every door, with what counts wrong ones."""
        found = authenticate(context.request, username=user.get_username(), password=password)
        return isinstance(found, User) and found.pk == user.pk

    def is_reauthentication_required(self, *, app: str, **more: Any) -> bool:
        """Who has neither a password nor a second factor has nothing to show again."""
        user = context.request.user
        return bool(self.get_reauthentication_methods(user))

    def add_message(self, *_: Any, **more: Any) -> None:
        """Our pages say what was done by themselves."""


class SecondFactorAdapter(DefaultMFAAdapter):
    def get_totp_label(self, user: AbstractBaseUser) -> str:
        return user.get_username()

    def encrypt(self, text: str) -> str:
        return seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(encrypted_text)

    def is_mfa_enabled(self, user: AbstractBaseUser, types: Any = None) -> bool:
        return is_offered() and bool(super().is_mfa_enabled(user, types))

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return not is_demanded(authenticator.user)


class IdentityAdapter(DefaultSocialAccountAdapter):
    """Whom a provider's identity lets in: who it let in before, else the user whom the provider
    names, at the first time and never again: from then on its id counts, not the name."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        # The provider's own token: nobody needs it any more, and a half login is kept in a session.
        sociallogin.token = None
        account, name = sociallogin.account, _name_of(sociallogin)
        user = sociallogin.user if sociallogin.is_existing else _first_time(account, name)
        if user is None or not user.is_active:
            about = hashed_unless_known(name, known=user is not None)
            record("login.failed", about=about, after={"door": OIDC_DOOR, "id": account.uid})
            raise ImmediateHttpResponse(
                login_refused(request, 403, "There is no user for you here.")
            )
        if not sociallogin.is_existing:
            account.user = user
            with known_as(user):
                account.save()
            sociallogin.user = user

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def on_authentication_error(self, request: HttpRequest, provider: Any, **more: Any) -> None:
        """Anybody can cause one: they are added up by minute."""
        refused(door=OIDC_DOOR, name="", now=clock.now())
        logger.warning("Login by OIDC failed: %s %s", more.get("error"), more.get("exception"))
        said = "The login did not succeed. Try it again from the beginning."
        raise ImmediateHttpResponse(login_refused(request, 401, said))


def _name_of(sociallogin: SocialLogin) -> str:
    data = sociallogin.account.extra_data
    claims = {**data.get("id_token", {}), **data.get("userinfo", {})}
    return str(claims.get(settings.OIDC_USERNAME_CLAIM) or "")


def _first_time(account: SocialAccount, name: str) -> User | None:
    """A user whom another identity of this provider stands for is not this one, whatever its
    name."""
    taken = SocialAccount.objects.filter(provider=account.provider).values("user")
    return User.objects.filter(username=name).exclude(pk__in=taken).first() if name else None


def login_refused(request: HttpRequest, status: int, said: str) -> HttpResponse:
    answer = render(request, "registration/refused.html", {"refusal": said}, status=status)
    answer["Cache-Control"] = "no-store"
    return answer
