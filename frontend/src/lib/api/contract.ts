/**
 * Compile-time proof that every row this page reads is one that the server's schema promises:
 * a field that is renamed or dropped there fails `npm run check` here, not a user.
 */

import type { Account, Market } from "../answers/desk";
import type { Exception } from "../answers/exceptions";
import type { ImportJob } from "../answers/imports";
import type { IntradayPoint, PnlRow, SnapshotDifference } from "../answers/pnl";
import type { PositionRow } from "../answers/positions";
import type { Preview, Profile } from "../answers/preview";
import type { CloseRow, Instrument, PriceRow } from "../answers/prices";
import type { TradeRow, TradeVersion } from "../answers/trades";
import type { SavedView } from "../answers/views";
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
  // Beside the rows and how they are written, which have fields of their own kinds.
  preview: Promised<Omit<Schemas["PreviewOut"], "rows" | "styles">, Omit<Preview, "rows" | "styles">>;
  profile: Promised<Schemas["ProfileOut"], Profile>;
  position: Promised<Schemas["PositionOut"], PositionRow>;
  price: Promised<Schemas["PriceOut"], PriceRow>;
  series: Promised<Schemas["PointOut"], { at: string; price: string }>;
  trade: Promised<Schemas["TradeOut"], TradeRow>;
  // What is in its state is for the page alone, and checked when it is read.
  view: Promised<Schemas["ViewOut"], Omit<SavedView, "state">>;
  version: Promised<Schemas["TradeVersionOut"], TradeVersion>;
}
