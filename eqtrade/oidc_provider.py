"""The one provider of logins by OIDC, as django-allauth takes it from settings."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

PROVIDER = "sso"
"""Its id, in addresses and in the record."""


def oidc_providers(issuer: str, client_id: str, client_secret: str, name: str) -> dict[str, Any]:
    """Without an issuer there is none."""
    app = {
        "provider_id": PROVIDER,
        "name": name,
        "client_id": client_id,
        "secret": client_secret,
        "settings": {"server_url": issuer},
    }
    return {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app] if issuer else []}}


def origins(issuer: str, more: Sequence[str]) -> list[str]:
    """Where a form that asks the provider may lead to: a browser follows it no further."""
    parts = urlsplit(issuer)
    return [f"{parts.scheme}://{parts.netloc}", *more] if issuer else []
