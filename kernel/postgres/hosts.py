"""Of several hosts in one URL the one that took this process last is asked first.

libpq asks them in the URL's order, each for up to `connect_timeout`. A server that is frozen takes
connections, since its kernel does, and then says nothing: named first, it would cost each new
connection to the other one that time, and whoever reads would wait for it.
"""

from typing import Any

from kernel.postgres.pool import Connection

DEFAULT_PORT = "5432"
Host = tuple[str, str]
"""Its name or the directory of its socket, and its port."""
_took: dict[tuple[frozenset[Host], Any], Host] = {}


def in_order(params: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a connection, with that host in front; as they are while none is known."""
    hosts = _hosts(params)
    first = _took.get(_key(hosts, params))
    if first is None:
        return params
    ordered = [first, *(host for host in hosts if host != first)]
    names, ports = zip(*ordered, strict=True)
    return {**params, "host": ",".join(names), "port": ",".join(ports)}


def remember(opened: Connection, params: dict[str, Any]) -> None:
    """That the host which it is connected to took it."""
    hosts = _hosts(params)
    took = opened.info.host, str(opened.info.port)
    if took in hosts:
        _took[_key(hosts, params)] = took


def _key(hosts: list[Host], params: dict[str, Any]) -> tuple[frozenset[Host], Any]:
    """Who asks for a standby is taken by another one than who asks for the primary."""
    return frozenset(hosts), params.get("target_session_attrs")


def _hosts(params: dict[str, Any]) -> list[Host]:
    """None where there is nothing to choose, or psycopg will not understand it either."""
    names = str(params.get("host") or "").split(",")
    ports = str(params.get("port") or DEFAULT_PORT).split(",")
    if len(ports) == 1:
        ports *= len(names)
    if len(names) == 1 or len(names) != len(ports) or params.get("hostaddr"):
        return []
    return list(zip(names, (port or DEFAULT_PORT for port in ports), strict=True))
