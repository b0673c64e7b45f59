"""The blotter stores nothing: it shows what other apps keep."""

from pnl.models import DailyPnl


class PnlDay(DailyPnl):
    """P&L by account and day in the admin: final, provisional and live."""

    class Meta:
        proxy = True
        verbose_name = "P&L by account and day"
        verbose_name_plural = "P&L by account and day"
        default_permissions = ("view",)
