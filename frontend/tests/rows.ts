/** Rows as the server sends them, with only what a test cares about changed. */

import type { UpdateMessage } from "../src/lib/answers/live";
import type { PositionRow, TotalRow } from "../src/lib/answers/positions";
import type { PriceRow } from "../src/lib/answers/prices";
import type { TradeRow } from "../src/lib/answers/trades";

export const position = (changed: Partial<PositionRow> = {}): PositionRow => ({
  account: "Test2",
  ticker: "AAPL",
  session: "2026-11-20",
  quantity: "40.000000",
  average_cost: "10.000000",
  price: "192.810000",
  price_as_of: "2026-11-20T19:02:11Z",
  mark_source: "quote",
  price_source: "simulated",
  previous_close: "195.610000",
  market_value: "7712.40",
  trade_pnl: "7424.40",
  position_pnl: "-112.00",
  action_pnl: "0.00",
  total_pnl: "7312.40",
  fees: "0",
  net_pnl: "7312.40",
  realized_pnl: "0.000000",
  unrealized_pnl: "7312.40",
  actions: [],
  pnl_valid: true,
  pnl_reason: null,
  updated_at: "2026-11-20T19:02:11Z",
  ...changed,
});

export const trade = (changed: Partial<TradeRow> = {}): TradeRow => ({
  id: "0193f0aa-0000-7000-8000-000000000001",
  account: "Test2",
  ticker: "AAPL",
  side: "buy",
  quantity: "10.000000",
  price: "10.000000",
  trade_date: "2026-11-20",
  executed_at: "2026-11-20T19:02:11Z",
  executed_at_known: true,
  booked_at: "2026-11-20T19:02:11Z",
  booked_by: "trader",
  version: 1,
  status: "booked",
  request_group: null,
  client_trade_id: null,
  note: "",
  settlement_date: "2026-02-02",
  strategy: null,
  counterparty: null,
  order_id: null,
  fees: [],
  net_amount: "100.00",
  tags: [],
  trade_pnl: "1856.10",
  pnl_valid: true,
  ...changed,
});

export const total = (changed: Partial<TotalRow> = {}): TotalRow => ({
  account: "Test2",
  trade_pnl: "20757.40",
  position_pnl: "-38.00",
  action_pnl: "0.00",
  total_pnl: "20719.40",
  fees: "0",
  net_pnl: "20719.40",
  pnl_valid: true,
  invalid_rows: 0,
  calculated_at: "2026-11-20T19:02:13Z",
  ...changed,
});

export const price = (changed: Partial<PriceRow> = {}): PriceRow => ({
  ticker: "AAPL",
  price: "192.810000",
  as_of: "2026-11-20T19:02:11Z",
  age_seconds: 2,
  stale: false,
  source: "simulated",
  override: false,
  doubtful: false,
  previous_close: "195.610000",
  ...changed,
});

export const update = (seq: number, changed: Partial<UpdateMessage> = {}): UpdateMessage => ({
  type: "update",
  seq,
  positions: [],
  trades: [],
  totals: [],
  prices: [],
  trades_total: {},
  removed: { positions: [], trades: [] },
  ...changed,
});
