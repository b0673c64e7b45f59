"""Where a request comes from, as far as that can be believed."""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

_LONGEST = 64


def client_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """The caller's address; None where nobody says one.

    nginx stands before the application, and sends the address that it saw itself, or that a proxy
    which it trusts named. That header is believed of those peers alone that are named in
    `TRUSTED_PEERS`, and of a unix socket's: anybody else could write what they like.
    """
    said = request.META.get("HTTP_X_REAL_IP", "")
    if said and comes_from_nginx(request):
        return _read(said)
    return _read(request.META.get("REMOTE_ADDR", ""))


def comes_from_nginx(request: HttpRequest) -> bool:
    """True if the peer is one whose headers are believed."""
    peer = _read(request.META.get("REMOTE_ADDR", ""))
    # A unix socket has no address; its directory says who may write to it.
    return peer is None or _is_trusted(peer, tuple(settings.TRUSTED_PEERS))


@lru_cache(1_000)
def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip()) if len(text) <= _LONGEST else None
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


@lru_cache(256)
def _is_trusted(peer: IPv4Address | IPv6Address, ranges: tuple[str, ...]) -> bool:
    return any(peer in ip_network(text) for text in ranges)
