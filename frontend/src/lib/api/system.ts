import { read } from "../answers/base";
import { systemState, type SystemState } from "../answers/system";
import { answer, api } from "./client";

/** For staff: Refused with 403 for others. */
export async function fetchSystem(): Promise<SystemState> {
  return read(systemState, await answer(api.GET("/api/v1/system/")));
}
