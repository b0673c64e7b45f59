"""A name server of loopback, for the one question that nginx asks."""

import socket
import struct
import threading
from collections.abc import Iterable


class NameServer:
    """Answers every A question with the addresses that `addresses` holds at that moment, in the
    wire format of RFC 1035; any other question with no answer. A context manager."""

    def __init__(self, addresses: Iterable[str]) -> None:
        self.addresses = list(addresses)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "NameServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", ("127.0.0.1", self.port))
        self._thread.join(5)
        self._socket.close()

    def _run(self) -> None:
        while True:
            question, client = self._socket.recvfrom(512)
            if not question:
                return
            self._socket.sendto(self._answer(question), client)

    def _answer(self, question: bytes) -> bytes:
        asked = question[12:]
        (kind,) = struct.unpack("!H", asked[-4:-2])
        addresses = self.addresses if kind == 1 else []
        header = question[:2] + struct.pack("!HHHHH", 0x8180, 1, len(addresses), 0, 0)
        # 0xC00C: the name of the question; class IN, living for 600 s, as Docker's own says.
        records = (
            struct.pack("!HHHIH", 0xC00C, 1, 1, 600, 4) + socket.inet_aton(address)
            for address in addresses
        )
        return header + asked + b"".join(records)
