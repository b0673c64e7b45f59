"""Brokers in the United States: dates with the month first, amounts in dollars with signs. None of
them names the account as this product does, but for Fidelity, where people name their accounts.
The samples are made up."""

from trades.imports.reading.profile import Profile

SCHWAB = Profile(
    name="schwab",
    label="Charles Schwab",
    signatures=(("date", "action", "symbol", "quantity", "price", "fees & comm", "amount"),),
    columns={
        "date": "trade_date", "action": "side", "symbol": "ticker", "quantity": "quantity",
        "price": "price", "fees & comm": "commission",
    },
    decimal=".",
    date_order="mdy",
    newest_first=True,
    tells="A date written as of another one is traded on that one.",
    sample=(
        '"Transactions  for account Desk ...000 as of 03/18/2026 04:41:12 PM ET"\n'
        '"Date","Action","Symbol","Description","Quantity","Price","Fees & Comm","Amount"\n'
        '"03/18/2026","Sell","IBM","INTL BUSINESS MACHINES","10","$143.50","$0.01","$1,434.99"\n'
        '"03/17/2026","Qualified Dividend","IBM","INTL BUSINESS MACHINES","","","","$16.70"\n'
        '"03/17/2026 as of 03/16/2026","Buy","IBM","INTL BUSINESS MACHINES","1,250","$143.25","",'
        '"-$179,062.50"\n'
        '"Transactions Total","","","","","","","-$177,610.81"\n'
    ),
)  # fmt: skip

FIDELITY = Profile(
    name="fidelity",
    label="Fidelity",
    signatures=(
        ("run date", "action", "symbol", "quantity", "price", "amount", "settlement date"),
        ("run date", "action", "symbol", "quantity", "price ($)", "amount ($)", "settlement date"),
    ),
    columns={
        "run date": "trade_date", "account": "account", "action": "side", "symbol": "ticker",
        "quantity": "quantity", "price": "price", "price ($)": "price", "currency": "currency",
        "commission": "commission", "commission ($)": "commission", "fees": "other",
        "fees ($)": "other", "settlement date": "settlement_date",
    },
    decimal=".",
    date_order="mdy",
    newest_first=True,
    tells="The column Account must hold codes of accounts here; else choose the account.",
    sample=(
        "\n\nRun Date,Account,Account Number,Action,Symbol,Description,Type,Exchange Quantity,"
        "Exchange Currency,Currency,Price,Quantity,Exchange Rate,Commission,Fees,Accrued Interest,"
        "Amount,Settlement Date\n"
        '03/18/2026,"Test1","Z00000000","YOU SOLD INTL BUSINESS MACHINES (IBM) (Cash)",IBM,'
        '"INTL BUSINESS MACHINES",Cash,0,,USD,143.5,-10,0,,0.01,,1434.99,03/19/2026\n'
        '03/17/2026,"Test1","Z00000000","DIVIDEND RECEIVED INTL BUSINESS MACHINES (IBM) (Cash)",IBM,'
        '"INTL BUSINESS MACHINES",Cash,0,,USD,,0.000,0,,,,16.7,\n'
        '03/16/2026,"Test1","Z00000000","YOU BOUGHT INTL BUSINESS MACHINES (IBM) (Cash)",IBM,'
        '"INTL BUSINESS MACHINES",Cash,0,,USD,143.25,1250,0,,,,-179062.5,03/17/2026\n'
        '\n\n"The data in this spreadsheet is provided to you solely for your use."\n'
        "Date downloaded 03/18/2026 5:00 pm\n"
    ),
)  # fmt: skip

_OPTION_CODES = dict.fromkeys(("bto", "stc", "btc", "sto", "oexp", "oasgn", "oexcs"), "option")

ROBINHOOD = Profile(
    name="robinhood",
    label="Robinhood",
    signatures=(("activity date", "instrument", "trans code", "quantity", "price", "amount"),),
    columns={
        "activity date": "trade_date", "instrument": "ticker", "trans code": "side",
        "quantity": "quantity", "price": "price", "settle date": "settlement_date",
    },
    decimal=".",
    date_order="mdy",
    newest_first=True,
    kinds=_OPTION_CODES,
    sample=(
        '"Activity Date","Process Date","Settle Date","Instrument","Description","Trans Code",'
        '"Quantity","Price","Amount"\n'
        '"3/18/2026","3/18/2026","3/19/2026","IBM","International Business Machines\n'
        'CUSIP: 000000000","Sell","10","$143.50","$1,435.00"\n'
        '"3/17/2026","3/17/2026","3/17/2026","IBM","Cash Div: R/D 2026-03-02","CDIV","","","$16.70"\n'
        '"3/16/2026","3/16/2026","3/17/2026","IBM","International Business Machines\n'
        'CUSIP: 000000000","Buy","1,250","$143.25","($179,062.50)"\n'
        '""\n'
        '"","","","","","","","","The data provided is for informational purposes only."\n'
    ),
)  # fmt: skip

ETRADE = Profile(
    name="etrade",
    label="E*TRADE",
    signatures=(
        ("transactiondate", "transactiontype", "securitytype", "symbol", "quantity", "price"),
    ),
    columns={
        "transactiondate": "trade_date", "transactiontype": "side", "securitytype": "asset",
        "symbol": "ticker", "quantity": "quantity", "price": "price", "commission": "commission",
    },
    decimal=".",
    date_order="mdy",
    newest_first=True,
    sample=(
        "For Account:,#####0000\n\n"
        "TransactionDate,TransactionType,SecurityType,Symbol,Quantity,Amount,Price,Commission,"
        "Description\n"
        "03/18/26,Sold,EQ,IBM,-10,1434.99,143.5,0.01,INTL BUSINESS MACHINES\n"
        "03/17/26,Dividend,EQ,IBM,0,16.7,0,0,INTL BUSINESS MACHINES\n"
        "03/17/26,Bought,OPTN,IBM Jun 18 '26 $150 Call,1,-105.5,1.05,0.5,IBM JUN 18 26 150 CALL\n"
        "03/16/26,Bought,EQ,IBM,1250,-179062.5,143.25,0,INTL BUSINESS MACHINES\n"
    ),
)  # fmt: skip

ETRADE_ACTIVITY = Profile(
    name="etrade_activity",
    label="E*TRADE, all activity",
    signatures=(
        ("activity/trade date", "activity type", "symbol", "quantity #", "price $", "amount $"),
    ),
    columns={
        "activity/trade date": "trade_date", "activity type": "side", "symbol": "ticker",
        "quantity #": "quantity", "price $": "price", "commission": "commission",
        "settlement date": "settlement_date",
    },
    decimal=".",
    date_order="mdy",
    newest_first=True,
    sample=(
        "All Transactions Activity Types\n\nAccount Activity for Desk -0000 from Custom Date Range\n"
        "\nTotal:,-177610.81\n\n"
        "Activity/Trade Date,Transaction Date,Settlement Date,Activity Type,Description,Symbol,"
        "Cusip,Quantity #,Price $,Amount $,Commission,Category,Note\n"
        "03/18/26,03/18/26,03/19/26,Sold,INTL BUSINESS MACHINES,IBM,000000000,-10,143.5,1434.99,"
        "0.01,--,--\n"
        "03/17/26,03/17/26,03/17/26,Dividend,INTL BUSINESS MACHINES,IBM,000000000,0,0,16.7,0,--,--\n"
        "03/16/26,03/16/26,03/17/26,Bought,INTL BUSINESS MACHINES,IBM,000000000,1250,143.25,"
        "-179062.5,0,--,--\n"
    ),
)  # fmt: skip
