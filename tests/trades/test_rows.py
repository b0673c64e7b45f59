"""A trade's row in the two ways in which it is written."""

from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from kernel.api.rows import encoded
from trades.api.rows import trade_row, trade_values
from trades.fee_kinds import FEE_KINDS
from trades.selectors import TradeRow

AMOUNTS = st.decimals(-(10**12), 10**12, places=10, allow_nan=False)
TIMES = st.datetimes(timezones=st.just(UTC))
ROWS = st.builds(
    TradeRow,
    id=st.uuids(),
    account=st.text(),
    ticker=st.text(),
    side=st.sampled_from(["buy", "sell"]),
    quantity=AMOUNTS,
    price=AMOUNTS,
    trade_date=st.dates(),
    executed_at=TIMES,
    executed_at_known=st.booleans(),
    booked_at=TIMES,
    booked_by=st.text(),
    version=st.integers(1, 10**6),
    status=st.sampled_from(["booked", "amended", "cancelled"]),
    request_group=st.none() | st.uuids(),
    client_trade_id=st.none() | st.text(),
    note=st.text(),
    fees=st.lists(st.fixed_dictionaries({"kind": st.sampled_from(FEE_KINDS), "amount": AMOUNTS})),
    net_amount=AMOUNTS,
    trade_pnl=st.none() | AMOUNTS,
    pnl_valid=st.booleans(),
    account_id=st.integers(1),
)


@given(ROWS)
def test_what_is_encoded_as_it_is_reads_as_the_row_does(row: TradeRow) -> None:
    assert encoded(trade_values(row)) == encoded(trade_row(row))
