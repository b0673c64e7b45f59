/**
 * The one REST client: typed by the OpenAPI schema, with the session's cookie and the page's CSRF
 * token. `schema.d.ts` is generated (`make api`), and `make lint` compares it with the server's.
 *
 * Answers are `unknown` here: validators (lib/validate) make rows of them.
 */

import createClient from "openapi-fetch";

import { PAGE_ID } from "../terms";
import type { paths } from "./schema";

/** One complaint; `attr` names the field it is about, null is about the whole request. */
export interface Complaint {
  code: string;
  detail: string;
  attr: string | null;
}

/**
 * The server answered, and refused. `status` is the HTTP status.
 *
 * Any 4xx means that nothing was done; a 5xx leaves it open.
 */
export class Refused extends Error {
  override name = "Refused";
  constructor(
    readonly status: number,
    readonly complaints: Complaint[],
    /** Where the server asks: the same call with this as `confirm` goes through. */
    readonly confirm: string | null = null,
  ) {
    super(complaints[0]?.detail ?? `The server answered ${status}.`);
  }
}

/** What the server asks before it goes on: the same call with `confirm` goes through. */
export interface Asked {
  complaints: Complaint[];
  confirm: string;
}

/** The question that an error is; null of any other error. */
export function askedBy(error: unknown): Asked | null {
  if (!(error instanceof Refused) || error.confirm === null) return null;
  return { complaints: error.complaints, confirm: error.confirm };
}

/** No answer arrived: whether the server acted is unknown. */
export class Unreachable extends Error {
  override name = "Unreachable";
}

/** A request without an answer by then is treated as unreachable, in milliseconds. */
const TIMEOUT = 15_000;
const UPLOAD_TIMEOUT = 120_000;

/** The page's own token. The cookie may have any name: two stacks can share one host. */
export function csrfToken(): string {
  return document.querySelector<HTMLInputElement>("#csrf input")?.value ?? "";
}

async function reach(request: Request): Promise<Response> {
  const patience = request.headers.get("X-Patience") === "upload" ? UPLOAD_TIMEOUT : TIMEOUT;
  request.headers.delete("X-Patience");
  request.headers.set("Accept", "application/json");
  if (request.method !== "GET") request.headers.set("X-CSRFToken", csrfToken());
  try {
    return await fetch(request, {
      credentials: "same-origin",
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(patience)]),
    });
  } catch (error) {
    if (request.signal.aborted) throw error;
    throw new Unreachable("The server did not answer.");
  }
}

// Django reads `account=a&account=b`, which is what the client's default makes of a list.
export const api = createClient<paths>({ baseUrl: globalThis.location?.origin ?? "", fetch: reach });

/**
 * The body of an answer that was no refusal.
 *
 * Raises Refused or Unreachable; an abort by the caller passes through as it is.
 */
export async function answer(
  sent: Promise<{ data?: unknown; error?: unknown; response: Response }>,
): Promise<unknown> {
  let got: { data?: unknown; error?: unknown; response: Response };
  try {
    got = await sent;
  } catch (error) {
    // A body that breaks off, or that is no JSON though it said so.
    if (error instanceof SyntaxError) throw new Unreachable("The answer broke off.");
    throw error;
  }
  const { data, error, response } = got;
  if (!response.ok)
    throw new Refused(response.status, complaints(error, response.status), confirmation(error));
  return data;
}

function confirmation(body: unknown): string | null {
  const token = (body as { confirm?: unknown } | null | undefined)?.confirm;
  return typeof token === "string" ? token : null;
}

export function complaints(body: unknown, status: number): Complaint[] {
  const listed = (body as { errors?: unknown } | null | undefined)?.errors;
  const found = (Array.isArray(listed) ? listed : []).flatMap((each: Partial<Complaint> | null) =>
    typeof each?.detail === "string"
      ? [{ code: String(each.code ?? ""), detail: each.detail, attr: each.attr ?? null }]
      : [],
  );
  if (status === 403 && found.some(({ detail }) => detail.startsWith("CSRF Failed")))
    // A new login, in another tab too, makes the token of a page that was open before worthless.
    return [{ code: "csrf", detail: "You have logged in anew since: reload this page.", attr: null }];
  if (found.length > 0) return found;
  return [{ code: "", detail: `The server answered ${status}.`, attr: null }];
}

/** What to tell a person of any error of this client. */
export function inWords(error: unknown): string {
  if (error instanceof Refused) return error.complaints.map(({ detail }) => detail).join(" ");
  return error instanceof Error ? error.message : String(error);
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** 128 random bits. `crypto.randomUUID` exists only over HTTPS and on the machine itself. */
export function newClientTradeId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `${PAGE_ID}${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
