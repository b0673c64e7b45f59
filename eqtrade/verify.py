"""Every projection against the trades, in one snapshot."""

import logging

from django.db import connection, transaction

from kernel import clock
from kernel.database import lift_timeouts
from pnl.activity.verify import pnl_breaks
from pnl.cost.verify import cost_breaks
from pnl.daily.verify import daily_breaks
from pnl.strategies.verify import strategy_breaks
from positions.snapshots.verify import snapshot_breaks
from positions.verify import position_breaks, settlement_breaks
from trades.ledger.verify import Break, ledger_breaks
from trades.models import Verification, VerificationBreak

logger = logging.getLogger(__name__)

MOST_KEPT = 1000


def verify() -> list[Break]:
    """All breaks, none when every number is right. Reads only; bookings and readers go on."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            lift_timeouts(cursor)
        return [
            *ledger_breaks(),
            *position_breaks(),
            *settlement_breaks(),
            *snapshot_breaks(),
            *pnl_breaks(),
            *daily_breaks(),
            *cost_breaks(),
            *strategy_breaks(),
        ]


def last_verification() -> Verification | None:
    """The last run that was kept."""
    return Verification.objects.order_by("-id").first()


def verify_and_record() -> Verification:
    """Verify, and keep the result where the admin lists it (the first 1,000 breaks)."""
    started = clock.now()
    breaks = verify()
    with transaction.atomic():
        run = Verification.objects.create(
            started_at=started, finished_at=clock.now(), breaks=len(breaks)
        )
        VerificationBreak.objects.bulk_create(
            VerificationBreak(
                verification=run,
                consumer=b.consumer,
                what=b.what,
                key=b.key,
                account_id=b.account_id,
                found=b.found,
                expected=b.expected,
            )
            for b in breaks[:MOST_KEPT]
        )
    if breaks:
        logger.error("verify: %d breaks, the first: %s", len(breaks), breaks[0])
    return run
