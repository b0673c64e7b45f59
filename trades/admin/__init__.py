from trades.admin import fees, guards, imports, ledger, trades

__all__ = ["fees", "guards", "imports", "ledger", "trades"]
