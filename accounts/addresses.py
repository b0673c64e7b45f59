"""The address that wrong passwords are counted by."""

from ipaddress import IPv6Address, ip_network

from django.http import HttpRequest

from kernel.addresses import client_address

UNKNOWN = "::"
# A household or a server has a whole one of these: its addresses are one caller's.
_ONE_CALLER = 64


def counted_address(request: HttpRequest) -> str:
    """The caller's address; of IPv6 the network."""
    address = client_address(request)
    if address is None:
        return UNKNOWN
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(ip_network((address, _ONE_CALLER), strict=False).network_address)
