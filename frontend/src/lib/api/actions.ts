import type { ActionKind } from "../actions";
import {
  actionEffect,
  actionVersion,
  corporateAction,
  suggestion,
  type ActionEffect,
  type ActionVersion,
  type CorporateAction,
  type Suggestion,
} from "../answers/actions";
import { list, read } from "../answers/base";
import { positionRow } from "../answers/positions";
import { answer, api } from "./client";
import { allPages, page } from "./pages";

/** Actions with an ex-date from a day on. */
export function fetchActions(from: string): Promise<CorporateAction[]> {
  return allPages((cursor) => {
    const query = { from, ...cursor };
    return answer(api.GET("/api/v1/corporate-actions/", { params: { query } }));
  }, corporateAction);
}

/** Those of one instrument, whenever. */
export function fetchActionsOf(ticker: string): Promise<CorporateAction[]> {
  return allPages((cursor) => {
    const query = { ticker: [ticker], ...cursor };
    return answer(api.GET("/api/v1/corporate-actions/", { params: { query } }));
  }, corporateAction);
}

/** The newest suggestions. */
export async function fetchSuggestions(): Promise<Suggestion[]> {
  return page(await answer(api.GET("/api/v1/corporate-actions/suggestions/")), suggestion).results;
}

export async function fetchActionVersions(action_id: string): Promise<ActionVersion[]> {
  const params = { path: { action_id } };
  return read(
    list(actionVersion),
    await answer(api.GET("/api/v1/corporate-actions/{action_id}/versions/", { params })),
  );
}

/** The first accounts' effects, and whether there are more. */
export async function fetchEffects(
  action_id: string,
): Promise<{ effects: ActionEffect[]; more: boolean }> {
  const params = { path: { action_id } };
  const found = page(
    await answer(api.GET("/api/v1/corporate-actions/{action_id}/effects/", { params })),
    actionEffect,
  );
  return { effects: found.results, more: found.next !== null };
}

/** True if one of the user's accounts holds anything of it. */
export async function fetchIsHeld(ticker: string): Promise<boolean> {
  const query = { ticker: [ticker], page_size: 1 };
  const found = page(await answer(api.GET("/api/v1/positions/", { params: { query } })), positionRow);
  return found.results.length > 0;
}

export interface Proposal {
  ticker: string;
  kind: ActionKind;
  ex_date: string;
  keep_new?: string;
  keep_old?: string;
  cash?: string;
  cash_in_lieu?: string;
  cost_to_cash?: string;
  legs?: { ticker: string; new: string; old: string; cost_share?: string }[];
  reason: string;
}

export async function proposeAction(body: Proposal): Promise<CorporateAction> {
  return read(corporateAction, await answer(api.POST("/api/v1/corporate-actions/", { body })));
}

export async function amendAction(
  action_id: string,
  body: { version: number; keep_new?: string; keep_old?: string; cash?: string; reason: string },
): Promise<CorporateAction> {
  const params = { path: { action_id } };
  return read(corporateAction, await answer(api.PATCH("/api/v1/corporate-actions/{action_id}/", { params, body })),
  );
}

/** Makes the latest version count. */
export async function confirmAction(
  action_id: string,
  body: { version: number; reason: string },
): Promise<void> {
  const params = { path: { action_id } };
  await answer(api.POST("/api/v1/corporate-actions/{action_id}/confirm/", { params, body }));
}

/** Takes back what counts, or withdraws a proposal: `version` says which. */
export async function cancelAction(
  action_id: string,
  body: { version: number; reason: string },
): Promise<void> {
  const params = { path: { action_id } };
  await answer(api.POST("/api/v1/corporate-actions/{action_id}/cancel/", { params, body }));
}
