import { alert, type Alert, type AlertWanted, type Firing, firing } from "../answers/alerts";
import { read } from "../answers/base";
import { answer, api } from "./client";
import { allPages, page } from "./pages";

export function fetchAlerts(): Promise<Alert[]> {
  return allPages((query) => answer(api.GET("/api/v1/alerts/", { params: { query } })), alert);
}

export async function setAlert(wanted: AlertWanted): Promise<Alert> {
  return read(alert, await answer(api.POST("/api/v1/alerts/", { body: wanted })));
}

export async function changeAlert(id: string, wanted: AlertWanted): Promise<Alert> {
  const path = { alert_id: id };
  return read(alert, await answer(api.PUT("/api/v1/alerts/{alert_id}/", { params: { path }, body: wanted })));
}

export async function deleteAlert(id: string): Promise<void> {
  await answer(api.DELETE("/api/v1/alerts/{alert_id}/", { params: { path: { alert_id: id } } }));
}

/** The newest that alerts told, seen or not. */
export async function fetchFired(): Promise<Firing[]> {
  return page(await answer(api.GET("/api/v1/alerts/fired/")), firing).results;
}

export async function seeFirings(ids: string[]): Promise<void> {
  await answer(api.POST("/api/v1/alerts/seen/", { body: { ids } }));
}
