from trades.admin import imports, ledger, trades

__all__ = ["imports", "ledger", "trades"]
