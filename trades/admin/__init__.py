from trades.admin import guards, imports, ledger, trades

__all__ = ["guards", "imports", "ledger", "trades"]
