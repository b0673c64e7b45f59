"""The ledger's rules in SQL, each written once: the reading order, what lies beyond a checkpoint,
which entries are effective at a session as known then, which came late, what is summed, and which
trades stand.

Entries are `e` (trades_ledgerentry) and a checkpoint is `c` (trades_checkpoint) wherever a fragment
is used. Fragments take expressions of the caller's query and its parameters, never values.
"""

# --- The reading order (see trades.ledger.shard_batch) -------------------------------------------

ORDER = "e.epoch, e.txid, e.id"
ORDER_BACKWARD = "e.epoch DESC, e.txid DESC, e.id DESC"
# Rows have no max(), and an xid8 has none before PostgreSQL 18: an array of whole numbers has.
PLACE_NUMBERS = "ARRAY[e.epoch, e.txid::text::bigint, e.id]"
# The id of the last of several entries in the reading order.
LAST_ENTRY = f"(max({PLACE_NUMBERS}))[3]"


def place(name: str) -> str:
    """The place in the parameters `<name>_epoch`, `<name>_txid` and `<name>_id` (Place.params)."""
    return f"(%({name}_epoch)s, %({name}_txid)s::xid8, %({name}_id)s)"


def after(there: str) -> str:
    """Entries behind a place, which is three expressions in brackets."""
    return f"({ORDER}) > {there}"


def before(there: str) -> str:
    """Entries before a place."""
    return f"({ORDER}) < {there}"


def up_to(there: str) -> str:
    """Entries before a place, and the one that is there."""
    return f"({ORDER}) <= {there}"


# A missing checkpoint stands at the very beginning: join it from the left.
CHECKPOINT = "(coalesce(c.epoch, 0), coalesce(c.txid, '0'::xid8), coalesce(c.entry_id, 0))"
BEYOND_CHECKPOINT = after(CHECKPOINT)
# Entries, each with the checkpoint that the consumer %(consumer)s has in its shard.
ENTRIES_AND_CHECKPOINTS = """
    trades_ledgerentry e
      LEFT JOIN trades_checkpoint c ON c.consumer = %(consumer)s AND c.shard = e.shard
"""


_ONE, _OTHER = "(c.a_epoch, c.a_txid, c.a_id)", "(c.b_epoch, c.b_txid, c.b_id)"


def keys_read_by_one(one: str, other: str) -> str:
    """A query of the keys (account_id, instrument_id) with an entry that one of these two consumers
    has read and the other has not, recorded before %(settled_by)s: of the shards (of %(shards)s)
    of %(accounts)s. Only shards whose readers stand apart are looked through, from the one place
    to the other."""

    def between(first: str, last: str) -> str:
        return f"""
            SELECT e.account_id, e.instrument_id FROM trades_ledgerentry e
             WHERE e.shard = c.shard AND {after(first)} AND {up_to(last)}
               AND e.recorded_at < %(settled_by)s"""

    return f"""
    SELECT DISTINCT k.account_id, k.instrument_id
      FROM (
        SELECT s.shard, coalesce(a.epoch, 0) AS a_epoch, coalesce(a.txid, '0') AS a_txid,
               coalesce(a.entry_id, 0) AS a_id, coalesce(b.epoch, 0) AS b_epoch,
               coalesce(b.txid, '0') AS b_txid, coalesce(b.entry_id, 0) AS b_id
          FROM (SELECT DISTINCT
                       (unnest(%(accounts)s::bigint[]) %% %(shards)s)::smallint AS shard) s
          LEFT JOIN trades_checkpoint a ON a.shard = s.shard AND a.consumer = '{one}'
          LEFT JOIN trades_checkpoint b ON b.shard = s.shard AND b.consumer = '{other}'
      ) c
     CROSS JOIN LATERAL (
        -- OFFSET 0: never a join with the whole ledger, however few entries the planner expects.
        ({between(_ONE, _OTHER)} OFFSET 0)
         UNION ALL
        ({between(_OTHER, _ONE)} OFFSET 0)
     ) k
     WHERE {_ONE} <> {_OTHER}
    """


# --- Effective entries, and late ones -------------------------------------------------------------


def effective_entries(session: str, known_at: str | None = None) -> str:
    """A query of what makes the positions of a session: entries dated up to it and, with
    `known_at`, recorded by that moment (inclusive). Whatever else comes to move a position by
    date is added here."""
    known = "" if known_at is None else f" AND e.recorded_at <= {known_at}"
    return f"SELECT e.* FROM trades_ledgerentry e WHERE e.trade_date <= {session}{known}"


def late_entries(session: str, known_at: str) -> str:
    """A query of what is effective at a session now and was not as known at that moment."""
    return f"SELECT e.* FROM ({effective_entries(session)}) e WHERE e.recorded_at > {known_at}"


# --- Settlement ----------------------------------------------------------------------------------


def settles_on(row: str) -> str:
    """The settlement date of an entry or a trade. What was written before there was one settles
    when the published calendars say, whatever was overridden since."""
    return (
        f"coalesce({row}.settlement_date, (SELECT s.settles_on FROM prices_settlementday s"
        f" WHERE s.trade_date = {row}.trade_date))"
    )


def paid(row: str) -> str:
    """The cash that a row of sums pays, fees included."""
    return f"{row}.notional + {row}.fees"


# --- Strategies ----------------------------------------------------------------------------------

# What tables of sums say where a trade has no strategy: a key of theirs has no null.
NO_STRATEGY = 0


def strategy_of(row: str) -> str:
    """The id of the strategy of an entry or a trade, `NO_STRATEGY` where it has none."""
    return f"coalesce({row}.strategy_id, {NO_STRATEGY})"


# --- The sums -------------------------------------------------------------------------------------


def added_by(terms: str = "") -> dict[str, str]:
    """The addition that the terms of a trade or a version make to each sum of the ledger, by the
    column that it has in an entry and in every table of sums. `terms` is what stands before their
    columns' names. Bought is positive."""
    quantity = f"CASE {terms}side WHEN 'buy' THEN {terms}quantity ELSE -{terms}quantity END"
    return {
        "quantity": quantity,
        "notional": f"({quantity}) * {terms}price",
        "fees": f"coalesce({terms}fees, 0)",
        "trades": "1",
    }


# The columns of an entry that projections sum; a further one is a column there, too.
SUMS = tuple(added_by())


def sums_of(rows: str) -> str:
    """The columns of the sums, in a query that groups rows which have them."""
    return ", ".join(f"sum({rows}.{name}) AS {name}" for name in SUMS)


def sums_or_zero(rows: str) -> str:
    """The columns of the sums, of rows that an outer join may have left null."""
    return ", ".join(f"coalesce({rows}.{name}, 0) AS {name}" for name in SUMS)


# --- Standing trades ------------------------------------------------------------------------------

IS_STANDING = "status <> 'cancelled'"

# Every trade that stands, with its terms as they are now, signed.
STANDING_TRADES = f"""
    SELECT account_id, instrument_id, trade_date, executed_at, id AS trade_id, price,
           {added_by()["quantity"]} AS quantity, {added_by()["fees"]} AS fees
      FROM trades_trade
     WHERE {IS_STANDING}
"""

# Every trade that stands, as the entry that would hold all of it.
STANDING_ROWS = f"""
    SELECT account_id, instrument_id, trade_date, settlement_date, strategy_id,
           {", ".join(f"{added} AS {name}" for name, added in added_by().items())}
      FROM trades_trade
     WHERE {IS_STANDING}
"""

# The sums of the trades that stand, by key and trade date.
STANDING = f"""
    SELECT account_id, instrument_id, trade_date,
           {", ".join(f"sum({added}) AS {name}" for name, added in added_by().items())}
      FROM trades_trade
     WHERE {IS_STANDING}
     GROUP BY account_id, instrument_id, trade_date
"""

# The sums of the entries that the consumer %(consumer)s has yet to apply, by key and trade date.
BEYOND = f"""
    SELECT e.account_id, e.instrument_id, e.trade_date, {sums_of("e")}
      FROM {ENTRIES_AND_CHECKPOINTS}
     WHERE {BEYOND_CHECKPOINT}
     GROUP BY e.account_id, e.instrument_id, e.trade_date
"""
