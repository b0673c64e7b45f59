"""Limits: what they measure, and when they are warned of or exceeded. Pure."""

from decimal import Decimal

GROSS, NET, LONG, SHORT = "gross", "net", "long", "short"
NAME, NAME_SHARE, POSITION = "name", "name_share", "position"
DAY_NOTIONAL, DAY_LOSS = "day_notional", "day_loss"
KINDS = (GROSS, NET, LONG, SHORT, NAME, NAME_SHARE, POSITION, DAY_NOTIONAL, DAY_LOSS)
"""Market values in the instruments' currency, of either sign as amounts that are not negative; the
largest name's amount, and its share of gross in percent; the largest position of one name, in
shares; the notional traded on the business date; the loss of the business date."""
ALERT, REFUSE = "alert", "refuse"
MODES = (ALERT, REFUSE)
REFUSABLE = (POSITION, DAY_NOTIONAL)
"""What can be told under the account's lock from the ledger alone."""
ALERT_AT = Decimal(90)
WITHIN, WARNED, BREACHED = STATES = "within", "warned", "breached"


def state_of(value: Decimal, amount: Decimal, alert_at: Decimal) -> str:
    """Strictly more than the amount is a breach, strictly more than `alert_at` percent of it is
    warned of."""
    if value > amount:
        return BREACHED
    return WARNED if 100 * value > alert_at * amount else WITHIN


def used(value: Decimal, amount: Decimal) -> Decimal:
    """Percent of the limit."""
    if amount:
        return 100 * value / amount
    return Decimal(100) if value else Decimal(0)
