"""The statements of a bare booking, for psycopg and for pgbench."""

import re
from collections.abc import Mapping

LOOKUP = """
    SELECT t.user_id, a.id, i.id
      FROM accounts_accesstoken t
      JOIN auth_user u ON u.id = t.user_id AND u.is_active
      JOIN accounts_account a ON a.code = %(account)s AND a.is_active
      JOIN accounts_entitlement e ON e.account_id = a.id AND e.user_id = u.id AND e.can_book
      JOIN prices_instrument i ON i.ticker = %(ticker)s AND i.is_active
     WHERE t.digest = sha256(convert_to(%(token)s, 'UTF8')) AND t.expires_at > now()
"""

# Trade, version and entry of one booking in one statement. The transaction has its id before the
# time of recording is taken: who asks what was known at a time counts on that order.
_WRITE = """
WITH moment AS MATERIALIZED (
    SELECT eqtrade_recorded_at() AS at WHERE pg_current_xact_id() IS NOT NULL
), terms AS MATERIALIZED (
    SELECT {id} AS id, {account} AS account_id, {instrument} AS instrument_id, {side} AS side,
           {quantity} AS quantity, {price} AS price, {trade_date} AS trade_date, at AS executed_at,
           '' AS note, 1 AS version, 'booked' AS status, {user} AS user_id, at
      FROM moment
), trade AS (
    INSERT INTO trades_trade (id, account_id, instrument_id, side, quantity, price, trade_date,
        executed_at, note, version, status, booked_at, booked_by_id)
    SELECT id, account_id, instrument_id, side, quantity, price, trade_date, executed_at, note,
           version, status, at, user_id FROM terms
), version AS (
    INSERT INTO trades_tradeversion (trade_id, account_id, instrument_id, side, quantity, price,
        trade_date, executed_at, note, version, status, actor_id, reason, recorded_at)
    SELECT id, account_id, instrument_id, side, quantity, price, trade_date, executed_at, note,
           version, status, user_id, '', at FROM terms
)
INSERT INTO trades_ledgerentry (account_id, instrument_id, trade_date, quantity, notional, trades,
    trade_id, version, recorded_at)
SELECT account_id, instrument_id, trade_date, signed, signed * price, 1, id, version, at
  FROM (SELECT *, CASE side WHEN 'buy' THEN quantity ELSE -quantity END AS signed FROM terms) t
"""

WRITE = _WRITE.format(
    id="%(id)s::uuid",
    account="%(account)s::bigint",
    instrument="%(instrument)s::bigint",
    side="%(side)s::text",
    quantity="%(quantity)s::numeric",
    price="%(price)s::numeric",
    trade_date="%(trade_date)s::date",
    user="%(user)s::int",
)

_DRAWS = """\\set account random(:first_account, :last_account)
\\set instrument random(:first_instrument, :last_instrument)
"""


def by_hand(trade_date: str) -> str:
    """For pgbench: a buy of 1 in a random account and instrument, by the statement above."""
    statement = _WRITE.format(
        id="uuidv7()",
        account=":account::bigint",
        instrument=":instrument::bigint",
        side="'buy'",
        quantity="1::numeric",
        price="100::numeric",
        trade_date=f"date '{trade_date}'",
        user=":user::int",
    )
    return f"{_DRAWS}{statement.strip()};\n"


def by_writer(statement: str, trade_date: str) -> str:
    """For pgbench: the same by the statement of trades.services.recording, which takes an array
    for each column. What a booking may leave out is left out."""
    single: Mapping[str, str] = {"actor_id": ":user", "booked_at": "now()"}
    arrays: Mapping[str, str] = {
        "id": "uuidv7()",
        "account_id": ":account",
        "instrument_id": ":instrument",
        "side": "'buy'",
        "quantity": "1",
        "price": "100",
        "trade_date": f"'{trade_date}'",
        "settlement_date": f"'{trade_date}'",
        "executed_at": "now()",
        "note": "''",
    }

    def value(found: re.Match[str]) -> str:
        name = found[1]
        return single[name] if name in single else f"ARRAY[{arrays.get(name, 'NULL')}]"

    return f"{_DRAWS}{re.sub(r'%[(]([a-z_]+)[)]s', value, statement)};\n"


# --- the usual design: the position is a row that each booking locks and changes -----------------

USUAL_TABLES = """
    CREATE TABLE usual_trade (LIKE trades_trade INCLUDING ALL);
    ALTER TABLE usual_trade ADD FOREIGN KEY (account_id) REFERENCES accounts_account,
        ADD FOREIGN KEY (instrument_id) REFERENCES prices_instrument,
        ADD FOREIGN KEY (booked_by_id) REFERENCES auth_user;
    CREATE TABLE usual_position (
        account_id bigint NOT NULL REFERENCES accounts_account,
        instrument_id bigint NOT NULL REFERENCES prices_instrument,
        quantity numeric NOT NULL, notional numeric NOT NULL, updated_at timestamptz NOT NULL,
        PRIMARY KEY (account_id, instrument_id));
    INSERT INTO usual_position SELECT account_id, instrument_id, quantity, 0, now()
      FROM positions_position;
    GRANT SELECT, INSERT, UPDATE ON usual_trade, usual_position TO eqtrade;
"""
USUAL_LOCK = """
    SELECT quantity, notional FROM usual_position
     WHERE account_id = %(account)s AND instrument_id = %(instrument)s FOR UPDATE
"""
USUAL_TRADE = """
    INSERT INTO usual_trade (id, account_id, instrument_id, side, quantity, price, trade_date,
        executed_at, note, version, status, booked_at, booked_by_id)
    VALUES (%(id)s, %(account)s, %(instrument)s, %(side)s, %(quantity)s, %(price)s,
        %(trade_date)s, %(at)s, '', 1, 'booked', %(at)s, %(user)s)
"""
USUAL_UPDATE = """
    UPDATE usual_position SET quantity = %(quantity)s, notional = %(notional)s, updated_at = %(at)s
     WHERE account_id = %(account)s AND instrument_id = %(instrument)s
"""
