import { systemState, type SystemState } from "../system";
import { answer, api } from "./client";

/** For staff: Refused with 403 for others. */
export async function fetchSystem(): Promise<SystemState> {
  return systemState(await answer(api.GET("/api/v1/system/")));
}
