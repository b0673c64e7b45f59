import { read } from "../answers/base";
import { type SavedView, savedView } from "../answers/views";
import { answer, api } from "./client";
import { allPages } from "./pages";

export function fetchViews(): Promise<SavedView[]> {
  return allPages((query) => answer(api.GET("/api/v1/views/", { params: { query } })), savedView);
}

/** One's own, or one that somebody shares. */
export async function fetchView(id: string): Promise<SavedView> {
  return read(savedView, await answer(api.GET("/api/v1/views/{view_id}/", { params: { path: { view_id: id } } })));
}

export async function saveView(
  wanted: Pick<SavedView, "name" | "accounts" | "state" | "is_default" | "is_shared">,
): Promise<SavedView> {
  return read(savedView, await answer(api.PUT("/api/v1/views/", { body: { ...wanted, state: { ...wanted.state } } })));
}

export async function deleteView(name: string): Promise<void> {
  await answer(api.DELETE("/api/v1/views/", { params: { query: { name } } }));
}
