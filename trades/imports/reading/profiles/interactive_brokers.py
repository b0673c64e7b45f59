"""Interactive Brokers: the trades of a Flex query, and an activity statement with its sections. The
samples are made up."""

from trades.imports.reading.profile import Profile

IB_FLEX = Profile(
    name="ib_flex",
    label="Interactive Brokers, Flex query of trades",
    signatures=(
        ("symbol", "buy/sell", "quantity", "tradeprice", "tradedate"),
        ("symbol", "buy/sell", "quantity", "tradeprice", "datetime"),
        ("symbol", "buy/sell", "quantity", "price", "clientaccountid", "tradeid"),
    ),
    columns={
        "clientaccountid": "account", "symbol": "ticker", "buy/sell": "side",
        "quantity": "quantity", "tradeprice": "price", "price": "price",
        "tradedate": "trade_date", "datetime": "executed_at", "date/time": "executed_at",
        "transactiontype": "type", "assetclass": "asset", "currencyprimary": "currency",
        "currency": "currency", "tradeid": "client_trade_id", "notes/codes": "code",
        "origtradeid": "cancels", "ibcommission": "commission", "taxes": "tax",
        "iborderid": "order_id", "settledatetarget": "settlement_date",
    },
    decimal=".",
    fees_below=True,
    date_order="mdy",
    tells=(
        "Times are New York's. TradeID is the identity of a row; a row that cancels another one is"
        " applied to it."
    ),
    sample=(
        '"ClientAccountID","Symbol","DateTime","TradeDate","TransactionType","Buy/Sell","Quantity",'
        '"TradePrice","CurrencyPrimary","AssetClass","TradeID","Notes/Codes","OrigTradeID"\n'
        '"Test1","IBM","20260316;095853","20260316","ExchTrade","BUY","1250","143.25","USD","STK",'
        '"1001","",""\n'
        '"Test1","IBM","20260317;101500","20260317","ExchTrade","BUY","50","143","USD","STK",'
        '"1002","",""\n'
        '"Test1","IBM","20260317;101600","20260317","TradeCancel","BUY (Ca.)","-50","143","USD",'
        '"STK","1003","Ca","1002"\n'
        '"Test1","IBM   260618C00150000","20260317;110000","20260317","ExchTrade","BUY","2","1.05",'
        '"USD","OPT","1004","",""\n'
        '"Test1","IBM","20260318;100000","20260318","ExchTrade","SELL","-10","143.5","USD","STK",'
        '"1005","",""\n'
    ),
)  # fmt: skip

IB_ACTIVITY = Profile(
    name="ib_activity",
    label="Interactive Brokers, activity statement",
    signatures=(
        ("trades", "header", "datadiscriminator", "symbol", "date/time", "quantity", "t. price"),
    ),
    columns={
        "symbol": "ticker", "date/time": "executed_at", "quantity": "quantity",
        "t. price": "price", "asset category": "asset", "currency": "currency", "code": "code",
        "comm/fee": "commission",
    },
    decimal=".",
    fees_below=True,
    only={"trades": ("trades",), "header": ("data",), "datadiscriminator": ("order",)},
    tells="Of its sections only the orders among the trades are read. Times are New York's.",
    sample=(
        "Statement,Header,Field Name,Field Value\n"
        "Statement,Data,Title,Activity Statement\n"
        "Account Information,Header,Field Name,Field Value\n"
        "Account Information,Data,Account,U0000000\n"
        "Trades,Header,DataDiscriminator,Asset Category,Currency,Symbol,Date/Time,Quantity,"
        "T. Price,C. Price,Proceeds,Comm/Fee,Basis,Realized P/L,MTM P/L,Code\n"
        'Trades,Data,Order,Stocks,USD,IBM,"2026-03-16, 09:58:53","1,250",143.25,143.5,-179062.5,-1,'
        "179063.5,0,312.5,O\n"
        'Trades,Data,Order,Stocks,USD,IBM,"2026-03-18, 10:00:00",-10,143.5,143.5,1435,-1,-1432.5,'
        "1.5,0,C\n"
        "Trades,SubTotal,,Stocks,USD,IBM,,1240,,,-177627.5,-2,177631,1.5,312.5,\n"
        "Trades,Total,,Stocks,USD,,,,,,-177627.5,-2,177631,1.5,312.5,\n"
        "Dividends,Header,Currency,Date,Description,Amount\n"
        "Dividends,Data,USD,2026-03-17,IBM Cash Dividend,16.7\n"
    ),
)  # fmt: skip
