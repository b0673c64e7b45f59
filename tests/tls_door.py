"""A TLS door before a server without TLS: the embedded ones speak on unix sockets only.

What is tried with it is the clients' side: which certificate they accept, by which setting.
"""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import trustme

PIECE = 64 * 1024
# PostgreSQL's clients ask in clear whether they may begin TLS.
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


@contextmanager
def tls_door(
    server: Path, authority: trustme.CA, *, postgres: bool = False, until: datetime | None = None
) -> Iterator[int]:
    """The port on localhost whose connections go on to the unix socket `server`. Its certificate
    ends `until` then."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", not_after=until).configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as door:
        threading.Thread(
            target=_accept, args=(door, context, server, postgres), daemon=True
        ).start()
        try:
            yield int(door.getsockname()[1])
        finally:
            # Wakes the thread that waits in accept; closing alone does not.
            door.shutdown(socket.SHUT_RDWR)


def _accept(door: socket.socket, context: ssl.SSLContext, server: Path, postgres: bool) -> None:
    while True:
        try:
            client, _ = door.accept()
        except OSError:
            return
        arguments = (client, context, server, postgres)
        threading.Thread(target=_serve, args=arguments, daemon=True).start()


def _serve(client: socket.socket, context: ssl.SSLContext, server: Path, postgres: bool) -> None:
    """Until either side ends; a client that refuses the certificate ends at once."""
    try:
        if postgres:
            assert client.recv(len(SSL_REQUEST), socket.MSG_WAITALL) == SSL_REQUEST
            client.sendall(b"S")
        with (
            context.wrap_socket(client, server_side=True) as outside,
            socket.socket(socket.AF_UNIX) as inside,
        ):
            inside.connect(str(server))
            while True:
                ready = select.select([outside, inside], [], [])[0]
                for one in ready:
                    # A whole record of TLS: what were left of one, nobody would be told of.
                    data = one.recv(PIECE)
                    if not data:
                        return
                    (inside if one is outside else outside).sendall(data)
    except OSError:
        client.close()
