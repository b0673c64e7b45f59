"""The queues that the system's workers consume from, and the ledger's readers, which name some.

Known without Django: Flower asks before it is set up."""

from trades.ledger.registry import LedgerReader

LEDGER_READERS = (
    LedgerReader(
        consumer="positions",
        task="positions.tasks.apply_ledger",
        rebuild="positions.tasks.rebuild",
        queue="positions",
        quantities="positions_position",
    ),
    LedgerReader(
        consumer="settlement",
        task="positions.tasks.apply_ledger",
        rebuild="positions.tasks.rebuild_settlement",
        queue="positions",
    ),
    LedgerReader(
        consumer="pnl", task="pnl.tasks.apply_ledger", rebuild="pnl.tasks.rebuild", queue="pnl"
    ),
    LedgerReader(
        consumer="cost",
        task="pnl.tasks.apply_ledger",
        rebuild="pnl.tasks.rebuild_cost",
        queue="pnl",
    ),
    LedgerReader(
        consumer="strategy",
        task="pnl.tasks.apply_ledger",
        rebuild="pnl.tasks.rebuild_strategy",
        queue="pnl",
    ),
)


def queue_names() -> list[str]:
    """Those of the ledger's readers, and prices, imports and default."""
    named = {reader.queue for reader in LEDGER_READERS}
    return sorted(named | {"default", "prices", "imports"})
