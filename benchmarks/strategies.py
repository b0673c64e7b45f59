"""P&L of the whole book by strategy beside the same by account, live; as many keys of each.

BENCH_POSITIONS (300000).
"""

import os
from decimal import Decimal
from typing import Any

from benchmarks.ground import ledger_ground
from benchmarks.report import Report
from benchmarks.revalue import fill, price, seconds_of

KEYS = int(os.environ.get("BENCH_POSITIONS", "300000"))
STRATEGIES = 5


def measure(report: Report) -> None:
    with ledger_ground() as ground:
        from accounts.models import Account
        from blotter.rows import pnl_rows, strategy_pnl_rows, today_at
        from kernel import clock
        from prices.sessions import sessions

        now = clock.now()
        known = sessions()
        day = known.business_date(now)
        price(ground, now, known.previous_session(day))
        accounts = fill(ground, KEYS, day, history=0)
        with ground.superuser() as root:
            root.execute("SET session_replication_role = replica")
            root.execute("TRUNCATE pnl_strategyholding, pnl_strategyactivity")
            root.execute(
                "INSERT INTO accounts_strategy (id, code, name, is_active)"
                " SELECT n, 'S' || n, '', true FROM generate_series(1, %s) n",
                [STRATEGIES],
            )
            of = f"1 + instrument_id % {STRATEGIES}"
            root.execute(
                (
                    "INSERT INTO pnl_strategyholding (account_id, strategy_id, instrument_id,"
                    f" quantity) SELECT account_id, {of}, instrument_id, quantity FROM pnl_holding"
                ).encode()
            )
            root.execute(
                (
                    "INSERT INTO pnl_strategyactivity (account_id, strategy_id, instrument_id,"
                    " trade_date, quantity, notional, fees, trades)"
                    f" SELECT account_id, {of}, instrument_id, trade_date, quantity, notional,"
                    " fees, trades FROM pnl_dailyactivity"
                ).encode()
            )
            root.execute("VACUUM ANALYZE")
        codes = dict(Account.objects.filter(pk__in=accounts).values_list("pk", "code"))
        today = today_at(now)

        def by_account() -> Any:
            return pnl_rows(accounts=codes, days=[day], by="account", today=today)

        def by_strategy() -> Any:
            return strategy_pnl_rows(accounts=codes, days=[day], today=today)

        one, other = (sum(Decimal(r["total_pnl"]) for r in f()) for f in (by_account, by_strategy))
        assert one == other
        name = f"{KEYS:,} keys, by"
        report.add(f"{name} account", seconds_of(by_account), "s")
        report.add(f"{name} strategy", seconds_of(by_strategy), "s", beside=f"{name} account")
