"""Files that this product itself has written, and those of the reference system. The samples are
made up."""

from trades.imports.reading import names
from trades.imports.reading.profile import Profile
from trades.terms import FILE_SAID, REJECTED_COLUMNS

_TERMS = {term.name.replace("_", " "): term.name for term in FILE_SAID}
_ID = "0190163d-8694-739b-aea5-966c26f8ad9"

ADMIN_EXPORT = Profile(
    name="admin_export",
    label="Trades exported by the admin",
    signatures=(("id", "account", "ticker", "side", "quantity", "price", "booked by", "version"),),
    columns={
        **_TERMS, "id": "trade_id", "status": "status", "executed at known": names.TIME_KNOWN,
    },
    decimal=".",
    newest_first=True,
    harmless=True,
    tells="A trade that is booked here is told as such by its id; cancelled ones are passed over.",
    sample=(
        "id,account,ticker,side,quantity,price,trade_date,executed_at,executed_at_known,booked_at,"
        "booked_by,version,status,request_group,client_trade_id,note,trade_pnl\r\n"
        f"{_ID}3,Test1,IBM,sell,10,143.5,2026-03-18,2026-03-18T14:00:00Z,True,2026-03-18T14:00:00Z,"
        "trader,1,booked,,,'=2+3,-1.5\r\n"
        f"{_ID}2,Test1,IBM,buy,50,143,2026-03-17,2026-03-17T14:00:00Z,True,2026-03-17T14:00:00Z,"
        "trader,2,cancelled,,,,0\r\n"
        f"{_ID}1,Test1,IBM,buy,1250,143.25,2026-03-16,2026-03-18T15:00:00Z,False,2026-03-18T15:00:00Z,"
        "trader,1,booked,,mine-1,,12.5\r\n"
    ),
)  # fmt: skip

GRID_EXPORT = Profile(
    name="grid_export",
    label="Trades exported by the blotter",
    signatures=(("trade", "account", "ticker", "side", "quantity", "price", "trade date", "status"),),
    columns={
        "trade": "trade_id", "account": "account", "ticker": "ticker", "side": "side",
        "quantity": "quantity", "price": "price", "trade date": "trade_date", "status": "status",
        "note": "note", "client trade id": "client_trade_id", "executed at": "executed_at",
    },
    decimal=".",
    newest_first=True,
    harmless=True,
    tells="A trade that is booked here is told as such by its id; cancelled ones are passed over.",
    sample=(
        "Business date,Prices from,As of,Booked at,Trade,Account,Ticker,Side,Quantity,Price,"
        "Trade P&L,Trade date,By,Status\r\n"
        f"2026-03-18,simulated,2026-03-18T16:00:00Z,2026-03-18T14:00:00Z,{_ID}3,Test1,IBM,sell,10,"
        "143.5,-1.5,2026-03-18,trader,booked\r\n"
        f"2026-03-18,simulated,2026-03-18T16:00:00Z,2026-03-16T14:00:00Z,{_ID}1,Test1,IBM,buy,1250,"
        "143.25,12.5,2026-03-16,trader,booked\r\n"
    ),
)  # fmt: skip

REFERENCE = Profile(
    name="reference",
    label="The reference system",
    signatures=(("ticker", "account", "buy or sell", "shares", "price"),),
    columns={
        **_TERMS, "buy or sell": "side", "shares": "quantity", "booked at": "executed_at",
        "id": "client_trade_id",
    },
    tells="Its ID is the identity of a trade, so that the same row books once.",
    sample=(
        "ID,Ticker,Account,Buy Or Sell,Shares,Price,Booked_At,Request_Group\n"
        "1,IBM,Test1,Buy,1250,143.25,2026-03-16 10:00:00,\n"
        "2,IBM,Test1,Sell,10,143.50,2026-03-18 10:00:00,\n"
    ),
)  # fmt: skip

REJECTED = Profile(
    name="rejected_rows",
    label="The rejected rows of an import",
    signatures=(tuple(name.replace("_", " ") for name in REJECTED_COLUMNS),),
    columns={**names.USUAL, **names.DOCUMENTED},
    harmless=True,
    tells="Mended, it can be sent as it is; its first two columns are passed over.",
    sample=(
        "rejected_line,rejected_because,ticker,account,side,quantity,price,trade_date\n"
        "2,ticker: This ticker is not known.,IBM,Test1,buy,1250,143.25,2026-03-16\n"
        "5,quantity: This must be greater than 0.,IBM,Test1,sell,10,143.50,2026-03-18\n"
    ),
)
