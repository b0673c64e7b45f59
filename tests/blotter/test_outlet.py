"""What the outlet writes is what a websocket's client reads."""

import asyncio

import pytest
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from blotter.live.protocol import Outlet


class Wire(asyncio.Transport):
    """The end of a socket that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closes = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self.closes


def read(written: bytes) -> Frame:
    """The one frame that this is, as the client's own library reads it."""
    reader = StreamReader()
    reader.feed_data(written)
    reader.feed_eof()
    parsing = Frame.parse(reader.read_exact, mask=False)
    try:
        next(parsing)
    except StopIteration as done:
        frame: Frame = done.value
        assert not reader.buffer
        return frame
    raise AssertionError("the frame is not complete")


@pytest.mark.parametrize("size", [2, 125, 126, 127, 65_535, 65_536, 200_000])
def test_a_message_is_one_frame_of_text(size: int) -> None:
    wire = Wire()
    head, body = b"{", b"x" * (size - 2) + b"}"
    Outlet(wire, asyncio.Event()).send(head, body)
    frame = read(wire.written)
    assert (frame.opcode, frame.fin, frame.rsv1) == (Opcode.TEXT, True, False)
    assert frame.data == head + body


def test_nothing_is_written_to_a_connection_that_ends() -> None:
    wire = Wire()
    wire.closes = True
    with pytest.raises(ConnectionError):
        Outlet(wire, asyncio.Event()).send(b"{}")
    assert wire.written == b""
