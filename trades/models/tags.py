"""Tags of trades: said and taken back, beside the trade."""

from django.conf import settings
from django.db import models

from kernel.database import AppendOnly, RecordedAt, append_only_triggers
from trades.models.ledger import Trade

LONGEST_TAG = 32


class TradeTag(AppendOnly):
    """A tag that was added to a trade, or removed from it. The last of a tag's events counts; none
    makes a version or an entry of the ledger, for a tag changes no number."""

    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, related_name="+", db_index=False)
    tag = models.CharField(max_length=LONGEST_TAG)
    is_added = models.BooleanField()
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    recorded_at = models.DateTimeField(db_default=RecordedAt(), editable=False)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["trade", "tag", "-id"], name="tag_of_trade"),
            models.Index(fields=["tag", "trade", "-id"], name="trade_of_tag"),
        ]
        triggers = append_only_triggers()

    def __str__(self) -> str:
        return f"{'+' if self.is_added else '-'}{self.tag} {self.trade_id}"
