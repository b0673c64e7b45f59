/** The server at the edge of the page, as `fetch` meets it: answers that are given, lost or late. */

import { vi } from "vitest";

export interface Asked {
  path: string;
  query: URLSearchParams;
  body: unknown;
}

/** Gives an answer, or later does; throws where none arrives. */
export type Answers = (asked: Asked) => unknown;

vi.stubGlobal("location", { origin: "http://page.test" });
vi.stubGlobal("document", { querySelector: () => null });

/** What the page asks for from now on is kept here, and answered by `answers`. */
export function serve(answers: Answers): Asked[] {
  const log: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request): Promise<Response> => {
    const form = request.headers.get("content-type")?.startsWith("multipart/") ?? false;
    const body: unknown = form
      ? Object.fromEntries(await request.formData())
      : request.method === "GET"
        ? null
        : await request.json();
    const { pathname, searchParams: query } = new URL(request.url);
    const asked = { path: pathname.replace("/api/v1/", ""), query, body };
    log.push(asked);
    const answer = await answers(asked);
    return answer instanceof Response ? answer : Response.json(answer);
  });
  return log;
}

/** Where no answer arrives. */
export function lost(): never {
  throw new TypeError("fetch failed");
}

export function refusal(status: number, detail: string, attr: string | null = null): Response {
  return Response.json({ type: "client_error", errors: [{ code: "", detail, attr }] }, { status });
}
