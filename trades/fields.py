"""Fields that read what is sent for a term, the same over REST and on the admin's forms."""

from kernel.api.serializers import AmountField
from trades.terms import Term


def amount_field(term: Term, *, required: bool = True) -> AmountField:
    """The field of an amount. It reads and refuses as a bulk booking does, by `Term.amount`."""
    return AmountField(read=term.amount, required=required)
