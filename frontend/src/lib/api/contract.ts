/**
 * Compile-time proof that every row this page reads is one that the server's schema promises:
 * a field that is renamed or dropped there fails `npm run check` here, not a user.
 */

import type { Exception } from "../exceptions.svelte";
import type { SavedView } from "../savedViews";
import type {
  Account,
  CloseRow,
  ImportJob,
  Instrument,
  IntradayPoint,
  Market,
  PositionRow,
  PnlRow,
  PriceRow,
  SnapshotDifference,
  TradeRow,
  TradeVersion,
} from "../types";
import type { components } from "./schema";

type Schemas = components["schemas"];
type Promised<Wire extends Ours, Ours> = Wire;

export interface Contract {
  account: Promised<Schemas["AccountOut"], Account>;
  close: Promised<Schemas["CloseOut"], CloseRow>;
  difference: Promised<Schemas["DifferenceOut"], SnapshotDifference>;
  exception: Promised<Schemas["ExceptionOut"], Exception>;
  import: Promised<Schemas["ImportOut"], ImportJob>;
  instrument: Promised<Schemas["InstrumentOut"], Instrument>;
  intraday: Promised<Schemas["IntradayOut"], IntradayPoint>;
  market: Promised<Schemas["MarketOut"], Market>;
  // By account some fields are absent, which the validator makes null.
  pnl: Promised<Required<Schemas["PnlOut"]>, PnlRow>;
  position: Promised<Schemas["PositionOut"], PositionRow>;
  price: Promised<Schemas["PriceOut"], PriceRow>;
  series: Promised<Schemas["PointOut"], { at: string; price: string }>;
  trade: Promised<Schemas["TradeOut"], TradeRow>;
  // What is in its state is for the page alone, and checked when it is read.
  view: Promised<Schemas["ViewOut"], Omit<SavedView, "state">>;
  version: Promised<Schemas["TradeVersionOut"], TradeVersion>;
}
