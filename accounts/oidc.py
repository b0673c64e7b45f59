"""Login by OIDC: django-allauth's two views, but an id token's signature is looked at however it
came, and nothing but a login is done by them."""

import logging
from typing import Any

from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from requests import RequestException

from accounts.login_adapters import login_refused

logger = logging.getLogger(__name__)


class Verifying(OpenIDConnectOAuth2Adapter):
    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: SocialToken, **more: Any
    ) -> SocialLogin:
        login: SocialLogin = super().complete_login(request, app, token, **more)
        said = {kind: claims.get("sub") for kind, claims in login.account.extra_data.items()}
        if len(set(said.values())) != 1:
            raise OAuth2Error("The id token and what is said of the user are of two.")
        return login

    def _decode_id_token(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        claims: dict[str, Any] = jwtkit.verify_and_decode(
            credential=id_token,
            keys_url=self.openid_config["jwks_uri"],
            issuer=self.openid_config["issuer"],
            audience=app.client_id,
            lookup_kid=jwtkit.lookup_kid_jwk,
        )
        return claims


@never_cache
@require_POST
def oidc_login(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Off to the provider; by POST, so that no other site sends anybody there."""
    if request.GET or request.POST.get("process", AuthProcess.LOGIN) != AuthProcess.LOGIN:
        raise Http404
    return _view(OAuth2LoginView, request, provider_id)


@never_cache
@require_GET
def oidc_callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    return _view(OAuth2CallbackView, request, provider_id)


def _view(kind: Any, request: HttpRequest, provider_id: str) -> HttpResponseBase:
    if not settings.OIDC_ISSUER:
        raise Http404
    try:
        adapter = Verifying(request, provider_id)
        answer: HttpResponseBase = kind.adapter_view(adapter)(request)
    except SocialApp.DoesNotExist as unknown:
        raise Http404 from unknown
    except (RequestException, KeyError) as away:
        logger.warning("The login provider does not answer as one: %s", away)
        said = "The login provider does not answer. Try again in a moment."
        return login_refused(request, 503, said)
    return answer
