"""Pages of the trades list beside the query that one would write first, at up to 5,000,000 trades.

Half of the trades are in one account; a quarter of the accounts are quiet: they traded a little,
long ago, which a planner cannot see. One trade in a thousand is cancelled, none in account A1 is
amended. Both ways are measured on the same rows in the same run; the plain query has the index that
it would have: (account, id).
"""

import os
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any
from uuid import UUID

from benchmarks.ground import ACCOUNTS, INSTRUMENTS, Ground, ledger_ground
from benchmarks.report import Report

SIZES = [int(n) for n in os.environ.get("BENCH_SIZES", "500000,5000000").split(",")]
TIMES = int(os.environ.get("BENCH_TIMES", "50"))
# The plain query is so slow in places that a few runs tell enough.
PLAIN_TIMES = int(os.environ.get("BENCH_PLAIN_TIMES", "5"))
PAGE = 101
CHUNK = 250_000
DAYS = 500
BUSY = ACCOUNTS * 3 // 4
A_GROUP = UUID(int=7)


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        from django.contrib.auth.models import User
        from django.db.models import QuerySet

        from trades.models import Trade
        from trades.pages import TradeFilter, trade_page
        from trades.selectors import trades_visible

        user = User.objects.create_superuser("root")
        everyone = list(range(1, ACCOUNTS + 1))
        quiet = [ACCOUNTS - 1, ACCOUNTS]
        old, last_old = date(2024, 3, 4), date(2024, 3, 29)

        def plain(accounts: list[int], **more: Any) -> "QuerySet[Trade]":
            return trades_visible(accounts).filter(**more)[:PAGE]

        reached = 0
        for size in SIZES:
            _fill(ground, reached, size, user.pk)
            reached = size
            deep = Trade.objects.order_by("id").values_list("pk", flat=True)[size // 4]
            asked: dict[str, tuple[TradeFilter, dict[str, Any], QuerySet[Trade]]] = {
                "one busy account": (TradeFilter([1]), {}, plain([1])),
                "two quiet accounts": (TradeFilter(quiet), {}, plain(quiet)),
                "all accounts": (TradeFilter(everyone), {}, plain(everyone)),
                "a page from the middle": (
                    TradeFilter([1, *quiet]), {"after": deep}, plain([1, *quiet], id__lt=deep),
                ),
                "cancelled": (
                    TradeFilter([1], statuses=["cancelled"]), {}, plain([1], status="cancelled"),
                ),
                "amended (none)": (
                    TradeFilter([1], statuses=["amended"]), {}, plain([1], status="amended"),
                ),
                "one old day": (
                    TradeFilter([1, 2], first=old, last=old), {}, plain([1, 2], trade_date=old),
                ),
                "an old month": (
                    TradeFilter([1, 2], first=old, last=last_old), {},
                    plain([1, 2], trade_date__range=(old, last_old)),
                ),
                "all since": (
                    TradeFilter([1, 2], first=old), {}, plain([1, 2], trade_date__gte=old),
                ),
                "an old month, all accounts": (
                    TradeFilter(everyone, first=old, last=last_old), {},
                    plain(everyone, trade_date__range=(old, last_old)),
                ),
                "a ticker nobody trades": (
                    TradeFilter([1], instruments=[INSTRUMENTS]), {},
                    plain([1], instrument__ticker=f"T{INSTRUMENTS}"),
                ),
                "a request group": (
                    TradeFilter(everyone, request_group=A_GROUP), {},
                    plain(everyone, request_group=A_GROUP),
                ),
            }  # fmt: skip
            for name, (wanted, where, first_thought) in asked.items():
                ours = [t.pk for t in trade_page(wanted, limit=PAGE, **where)]
                assert ours == [t.pk for t in first_thought.all()], name
                beside = f"{name}, {size:,}: plain"
                report.add(beside, _median_ms(partial(_read, first_thought), PLAIN_TIMES), "ms")
                page = partial(_page, wanted, where)
                report.add(f"{name}, {size:,}", _median_ms(page, TIMES), "ms", beside=beside)


def _read(query: Any) -> list[Any]:
    return list(query.all())


def _page(wanted: Any, where: dict[str, Any]) -> list[Any]:
    from trades.pages import trade_page

    return list(trade_page(wanted, limit=PAGE, **where))


def _fill(ground: Ground, start: int, end: int, user: int) -> None:
    """Add trades `start` to `end`, in the order of booking; constraints are not checked."""
    with ground.superuser() as root:
        root.execute("SET session_replication_role = replica")
        root.execute("CREATE INDEX IF NOT EXISTS plain_list ON trades_trade (account_id, id DESC)")
        root.execute(
            "INSERT INTO trades_requestgroup (id, user_id, terms_hash, trades)"
            " VALUES (%s, %s, '', 0) ON CONFLICT DO NOTHING",
            [A_GROUP, user],
        )
        for first in range(start, end, CHUNK):
            root.execute(
                """
                INSERT INTO trades_trade (id, account_id, instrument_id, side, quantity, price,
                    trade_date, executed_at, booked_at, booked_by_id, note, version, status,
                    request_group_id)
                SELECT ('01900000-' || substr(lpad(to_hex(n), 8, '0'), 1, 4) || '-7'
                        || substr(lpad(to_hex(n), 8, '0'), 5, 3) || '-8'
                        || substr(lpad(to_hex(n), 8, '0'), 8, 1) || '00-000000000000')::uuid,
                       account, 1 + floor(random() * (%(names)s - 1)), 'buy', 10, 100,
                       date '2024-01-02' + (n * %(days)s / %(end)s)::int, now(), now(), %(user)s,
                       '',
                       CASE WHEN status = 'booked' THEN 1 ELSE 2 END, status,
                       CASE WHEN n BETWEEN 1000 AND 1999 THEN %(group)s::uuid END
                  FROM (
                    SELECT n, CASE WHEN n %% 1000 = 7 THEN 'cancelled'
                                   WHEN n %% 50 = 8 THEN 'amended' ELSE 'booked' END AS status,
                           CASE WHEN n < %(end)s / 50
                                THEN 1 + %(busy)s + n %% (%(accounts)s - %(busy)s)
                                WHEN n %% 50 = 8 OR n %% 2 = 0
                                THEN 2 + floor(random() * (%(busy)s - 1))
                                ELSE 1 END::bigint AS account
                      FROM generate_series(%(first)s::bigint, %(last)s::bigint) n) g
                """,
                {
                    "names": INSTRUMENTS, "accounts": ACCOUNTS, "busy": BUSY, "days": DAYS,
                    "user": user, "group": A_GROUP, "first": first, "end": max(SIZES),
                    "last": min(first + CHUNK, end) - 1,
                },
            )  # fmt: skip
        root.execute("VACUUM ANALYZE trades_trade")


def _median_ms(job: Callable[[], object], times: int) -> float:
    job()
    found = []
    for _ in range(times):
        started = time.perf_counter()
        job()
        found.append((time.perf_counter() - started) * 1000)
    return sorted(found)[len(found) // 2]
