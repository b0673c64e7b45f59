"""Brokers in Europe, whose times are of another zone. The samples are made up."""

from trades.imports.reading.profile import Profile

TRADING_212 = Profile(
    name="trading_212",
    label="Trading 212",
    signatures=(("action", "time", "ticker", "no. of shares", "price / share"),),
    columns={
        "action": "side", "time": "executed_at", "ticker": "ticker", "no. of shares": "quantity",
        "price / share": "price", "currency (price / share)": "currency", "id": "client_trade_id",
    },
    zone="UTC",
    decimal=".",
    tells="Times are UTC. Its ID is one of each fill, so that the same row books once.",
    sample=(
        "Action,Time,ISIN,Ticker,Name,No. of shares,Price / share,Currency (Price / share),"
        "Exchange rate,Total,Currency (Total),Notes,ID\n"
        "Market buy,2026-03-16 14:30:05,US0000000000,IBM,International Business Machines,"
        "1250.0000000000,143.25,USD,1,179062.50,USD,,EOF0000000001\n"
        "Dividend (Ordinary),2026-03-17 09:00:00,US0000000000,IBM,International Business Machines,"
        "1250.0000000000,0.013360,USD,Not available,16.70,USD,,\n"
        "Limit sell,2026-03-18 00:30:05,US0000000000,IBM,International Business Machines,"
        "10.0000000000,143.50,USD,1,1435.00,USD,,EOF0000000002\n"
        "Deposit,2026-03-12 09:00:00,,,,,,,,1000.00,USD,Bank Transfer,00000000-0000\n"
    ),
)  # fmt: skip

_DEGIRO_ENGLISH = ("date", "time", "product", "isin", "quantity", "price", "local value")
_DEGIRO_DUTCH = ("datum", "tijd", "product", "isin", "aantal", "koers", "lokale waarde")
_DEGIRO_GERMAN = ("datum", "uhrzeit", "produkt", "isin", "anzahl", "kurs", "wert in lokalwährung")

DEGIRO = Profile(
    name="degiro",
    label="DEGIRO",
    signatures=(_DEGIRO_ENGLISH, _DEGIRO_DUTCH, _DEGIRO_GERMAN),
    columns={
        "date": "trade_date", "datum": "trade_date",
        "time": "time", "tijd": "time", "uhrzeit": "time",
        "product": "ticker", "produkt": "ticker",
        "quantity": "quantity", "aantal": "quantity", "anzahl": "quantity",
        "price": "price", "koers": "price", "kurs": "price",
        "#9": "currency",
    },
    zone="Europe/Amsterdam",
    date_order="dmy",
    newest_first=True,
    by_name=True,
    tells=(
        "It names shares by product and ISIN: a product must be a ticker or a name as listed here."
        " Its order id is shared by fills, and is no identity. Quantities below zero are sales."
    ),
    sample=(
        "Date,Time,Product,ISIN,Reference exchange,Venue,Quantity,Price,,Local value,,Value,,"
        "Exchange rate,Transaction and/or third,,Total,,Order ID\n"
        '18-03-2026,16:05,IBM,US0000000000,NSY,XNYS,-10,"143,50",USD,"1435,00",USD,"1435,00",EUR,'
        '"1,00","-1,00",EUR,"1434,00",EUR,00000000-0000-0000\n'
        '16-03-2026,15:30,IBM,US0000000000,NSY,XNYS,1250,"143,25",USD,"-179062,50",USD,'
        '"-179062,50",EUR,"1,00","-1,00",EUR,"-179063,50",EUR,00000000-0000-0001\n'
    ),
)  # fmt: skip
