"""Bytes of a file to UTF-8: which encoding they are in, and never a character made up for another.

UTF-8 with or without a byte order mark, UTF-16 with one or with its NULs, else Windows-1252, in
which spreadsheets write CSV. A file whose bytes are partly UTF-8 and partly not is refused: read as
Windows-1252 its names would be wrong.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from trades.imports.records import FileRefused

Read = Callable[[], Iterable[bytes]]

UTF_8, UTF_8_BOM, WINDOWS_1252 = "utf-8", "utf-8-bom", "windows-1252"
UTF_16 = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}
_MARKS = {b"PK\x03\x04": "a ZIP archive or an Excel workbook", b"\x1f\x8b": "a gzip archive",
          b"%PDF": "a PDF", b"\xd0\xcf\x11\xe0": "an old Excel workbook"}  # fmt: skip
_LOOKED_AT = 1024
_MULTIBYTE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


class Text(NamedTuple):
    """A file as UTF-8 without a byte order mark, read anew by each call of `read`."""

    encoding: str
    read: Read


def text_of(read: Read, *, known: str | None = None) -> Text:
    """The file as text. Says UTF-8 of what begins as such: whoever meets `NotUtf8` while reading
    it, asks `text_not_utf8`. Raises FileRefused for what is no text."""
    encoding = known or _begins(next(_and_end(read())))
    return Text(encoding, lambda: _decoded(read(), encoding))


class NotUtf8(Exception):
    """The file is not UTF-8 from this line on."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


def text_not_utf8(read: Read, at: NotUtf8) -> Text:
    """The file as Windows-1252. Raises FileRefused where parts of it are UTF-8."""
    if any(_MULTIBYTE.search(part) for part in read()):
        raise FileRefused(
            "not_utf8",
            f"Line {at.line} is not UTF-8 text, though others are. Save the file as CSV UTF-8.",
        )
    return text_of(read, known=WINDOWS_1252)


def _begins(start: bytes) -> str:
    for mark, what in _MARKS.items():
        if start.startswith(mark):
            raise FileRefused("not_csv", f"This is {what}. Save it as CSV (UTF-8) first.")
    if start.startswith(codecs.BOM_UTF8):
        return UTF_8_BOM
    for encoding, mark in UTF_16.items():
        if start.startswith(mark):
            return encoding
    looked_at = start[:_LOOKED_AT]
    for encoding, zeros in (("utf-16-le", 1), ("utf-16-be", 0)):
        half, other = looked_at[zeros::2], looked_at[1 - zeros :: 2]
        if half.count(0) > 0.7 * len(half) and not other.count(0):
            return encoding
    return UTF_8


def _decoded(parts: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    if encoding in (UTF_8, UTF_8_BOM):
        return _checked(parts)
    return _transcoded(parts, "cp1252" if encoding == WINDOWS_1252 else encoding)


def _checked(parts: Iterable[bytes]) -> Iterator[bytes]:
    """UTF-8 as it is, checked to be that."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    line, is_first = 1, True
    for part in _and_end(parts):
        _refuse_nul(part, line)
        try:
            decoder.decode(part, not part)
        except UnicodeDecodeError as error:
            raise NotUtf8(line + error.object[: error.start].count(b"\n")) from None
        line += part.count(b"\n")
        if is_first and part:
            part, is_first = part.removeprefix(codecs.BOM_UTF8), False
        yield part


def _transcoded(parts: Iterable[bytes], codec: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(codec)("strict")
    line, is_first = 1, True
    for part in _and_end(parts):
        try:
            text = decoder.decode(part, not part)
            found = text.removeprefix("\ufeff" if is_first else "").encode()
        except (UnicodeDecodeError, UnicodeEncodeError):
            raise FileRefused(
                "not_text", f"After line {line} there are bytes that are no text."
            ) from None
        is_first = is_first and not text
        _refuse_nul(found, line)
        line += found.count(b"\n")
        yield found


def _and_end(parts: Iterable[bytes]) -> Iterator[bytes]:
    """The parts that are not empty, then an empty one; the first is long enough to tell by."""
    begun = b""
    is_first = True
    for part in parts:
        if is_first:
            begun += part
            if len(begun) < _LOOKED_AT:
                continue
            part, is_first = begun, False
        if part:
            yield part
    if is_first and begun:
        yield begun
    yield b""


def _refuse_nul(part: bytes, line: int) -> None:
    if b"\x00" in part:
        line += part[: part.index(b"\x00")].count(b"\n")
        raise FileRefused("nul", f"Line {line} holds a NUL byte: this is no CSV text.")
