import { flag, list, object, text, textOrNull } from "../edge";
import type { SavedView, ViewState } from "../savedViews";
import { answer, api } from "./client";
import { allPages } from "./pages";

export function fetchViews(): Promise<SavedView[]> {
  return allPages((query) => answer(api.GET("/api/v1/views/", { params: { query } })), view);
}

/** One's own, or one that somebody shares. */
export async function fetchView(id: string): Promise<SavedView> {
  return view(await answer(api.GET("/api/v1/views/{view_id}/", { params: { path: { view_id: id } } })));
}

export async function saveView(
  wanted: Pick<SavedView, "name" | "accounts" | "state" | "is_default" | "is_shared">,
): Promise<SavedView> {
  return view(await answer(api.PUT("/api/v1/views/", { body: { ...wanted, state: { ...wanted.state } } })));
}

export async function deleteView(name: string): Promise<void> {
  await answer(api.DELETE("/api/v1/views/", { params: { query: { name } } }));
}

function view(value: unknown): SavedView {
  const row = object(value, "view");
  return {
    id: text(row, "id"),
    name: text(row, "name"),
    owner: text(row, "owner"),
    accounts:
      row["accounts"] === null
        ? null
        : list(row["accounts"], "accounts", (code) => text({ code }, "code")),
    state: stateOf(row["state"]),
    is_default: flag(row, "is_default"),
    is_shared: flag(row, "is_shared"),
    saved_at: textOrNull(row, "saved_at") ?? "",
  };
}

/** Whoever saved it may have been another version of this page: what is not understood is left. */
function stateOf(value: unknown): ViewState {
  const { address, columns } = object(value, "state");
  const said = Object.entries(object(address ?? {}, "address"));
  return {
    address: Object.fromEntries(said.filter((each): each is [string, string] => typeof each[1] === "string")),
    columns: object(columns ?? {}, "columns"),
  };
}
