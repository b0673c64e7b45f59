"""A preview of files just under 10 MB, the largest that are read whole, and of one of 80 MB: until
its answer is written; and of the beginning by which the page shows each at once. Each shape is
looked at several times; the last figure of a shape is the longest.

Beside it one pass of Python over the same bytes that splits each line and does nothing with it, to
say how fast this machine is.
"""

import os
import time
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.ground import ACCOUNTS, INSTRUMENTS, ledger_ground
from benchmarks.report import Report

RUNS = int(os.environ.get("BENCH_RUNS", "5"))
BYTES = 9_990_000
LARGE = 79_000_000
# What the page sends of a large file first.
SENT = 512_000
PART = 256 * 1024

Line = Callable[[int], str]


def _names(n: int) -> tuple[str, str, str]:
    return f"T{1 + n % INSTRUMENTS}", f"A{1 + n % ACCOUNTS}", "sell" if n % 3 == 0 else "buy"


def _plain(n: int) -> str:
    ticker, account, side = _names(n)
    return f"{ticker},{account},{side},{1 + n % 900},{100 + n % 77}.{n % 100:02}\n"


def _dated(n: int) -> str:
    return f"{_plain(n).rstrip()},2026-01-{5 + n % 5:02},id-{n}\n"


def _timed(n: int) -> str:
    clock = f"{14 + n // 3600 % 6}:{n // 60 % 60:02}:{n % 60:02}"
    return f"{_plain(n).rstrip()},2026-01-{5 + n % 5:02} {clock}\n"


def _european(n: int) -> str:
    ticker, account, side = _names(n)
    word = "Verkauf" if side == "sell" else "Kauf"
    price, day = f"{100 + n % 77},{n % 100:02}", f"{12 + n % 5}.01.2026"
    return f"{ticker};{account};{word};1.{n % 1000:03},5;{price};{day}\n"


def _quoted(n: int) -> str:
    return ",".join(f'"{cell}"' for cell in _plain(n).rstrip().split(",")) + "\n"


def _broken(n: int) -> str:
    """One row in ten is refused."""
    return _plain(n) if n % 10 else _plain(n).replace(",", ",x", 3)


HEADER = "ticker,account,side,quantity,price"
SHAPES: dict[str, tuple[str, Line]] = {
    "plain": (HEADER, _plain),
    "dated, with ids": (f"{HEADER},trade_date,client_trade_id", _dated),
    "a time in each row": (f"{HEADER},executed_at", _timed),
    "semicolons, commas, dates with points": (
        f"{HEADER},trade_date".replace(",", ";"), _european,
    ),
    "every cell quoted": (HEADER, _quoted),
    "one row in ten refused": (HEADER, _broken),
}  # fmt: skip


def _file(header: str, line: Line, size: int) -> tuple[bytes, int]:
    """The file, and how many rows it has."""
    lines = [header + "\n"]
    held = len(lines[0])
    while held + len(more := line(len(lines) - 1)) <= size:
        lines.append(more)
        held += len(more)
    return "".join(lines).encode(), len(lines) - 1


def measure(report: Report) -> None:
    report.is_aloud = True
    with ledger_ground():
        from django.contrib.auth.models import User

        from prices.sessions import sessions

        User.objects.create_superuser("root")
        sessions()
        for name, (header, line) in SHAPES.items():
            data, rows = _file(header, line, BYTES)
            report.add(f"{name}: rows", rows, "")
            report.add(f"{name}: each line split", _least(partial(_split, data)), "s")
            _seen(report, name, data)
            _seen(report, f"{name}, its beginning", data[:SENT], is_beginning=True)
        _seen(report, "80 MB, its beginning read", _file(*SHAPES["dated, with ids"], LARGE)[0])


def _seen(report: Report, name: str, data: bytes, *, is_beginning: bool = False) -> None:
    seconds = [_seconds(partial(_preview, data, is_beginning)) for _ in range(RUNS)]
    report.add(f"{name}: preview, least", min(seconds), "s")
    report.add(f"{name}: preview, most", max(seconds), "s")


def _preview(data: bytes, is_beginning: bool) -> None:
    import json

    from django.contrib.auth.models import User

    from kernel import clock
    from trades.imports.accept import Hashed
    from trades.imports.preview import import_preview
    from trades.imports.preview_rows import preview_out
    from trades.imports.reading.reading import Options

    def parts() -> Iterator[bytes]:
        for at in range(0, len(data), PART):
            yield data[at : at + PART]

    found = import_preview(
        user=User.objects.get(username="root"),
        file=Hashed(parts),
        size=len(data),
        options=Options(),
        is_beginning=is_beginning,
        now=clock.now(),
    )
    assert not found.asks, found.asks
    json.dumps(preview_out(found))


def _split(data: bytes) -> None:
    for line in data.decode().split("\n"):
        line.split(",")


def _least(work: Callable[[], None]) -> float:
    return min(_seconds(work) for _ in range(RUNS))


def _seconds(work: Callable[[], None]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
