from trades.admin import ledger, trades

__all__ = ["ledger", "trades"]
