"""The book over several sessions that tests of P&L use, too."""

from tests.pnl.conftest import days

__all__ = ["days"]
