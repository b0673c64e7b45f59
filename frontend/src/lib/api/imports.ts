/** Files of trades: how they would be read, and their imports. */

import { list, read } from "../answers/base";
import { type ImportJob, importJob } from "../answers/imports";
import {
  type Preview,
  preview,
  type Profile,
  profile,
  type Said,
  type SavedMapping,
  savedMapping,
} from "../answers/preview";
import { tradeId } from "../answers/trades";
import { formFields } from "../bulk/preview";
import { answer, api } from "./client";
import { allPages, page } from "./pages";

const MOST_ON_A_PAGE = 1_000;

function fileForm(file: Blob, name: string, fields: Record<string, string>): never {
  const form = new FormData();
  form.append("file", file, name);
  for (const [field, value] of Object.entries(fields)) form.append(field, value);
  // The schema's type of a file is a text.
  return form as never;
}

const asForm = {
  bodySerializer: (body: unknown) => body as FormData,
  headers: { "X-Patience": "upload" },
};

/** Larger files are shown by their beginning first. The server reads a quarter of it: 5,000 rows, say. */
const SHOWN_AT_ONCE = 1_000_000;
const BEGINNING = 512_000;

/** How the beginning of a large file would be read; null for one that is read at once. */
export function previewBeginning(file: File, said: Said, signal: AbortSignal): Promise<Preview> | null {
  if (file.size <= SHOWN_AT_ONCE) return null;
  return previewOf(file.slice(0, BEGINNING), file.name, { ...formFields(said), beginning: "true" }, signal);
}

/** How a file would be read; nothing is stored. */
export function previewFile(file: File, said: Said, signal: AbortSignal): Promise<Preview> {
  return previewOf(file, file.name, formFields(said), signal);
}

async function previewOf(file: Blob, name: string, fields: Record<string, string>, signal: AbortSignal): Promise<Preview> {
  const body = fileForm(file, name, fields);
  return read(preview, await answer(api.POST("/api/v1/trades/imports/preview/", { body, signal, ...asForm })));
}

/** How an upload is booked. */
export interface Upload {
  file: Blob;
  name: string;
  /** Under the same id the same file is imported once. */
  id: string;
  groupSize: number;
  fields: Record<string, string>;
  dryRun: boolean;
  /** All of the trades are meant, though the file was imported before. */
  onceMore: boolean;
}

/**
 * Hands a file to the workers; they book it, whatever becomes of this page. The bytes of an earlier
 * import are refused as `file_seen`, unless all of them are meant `onceMore`.
 */
export async function uploadImport({ file, name, id, groupSize, fields, dryRun, onceMore }: Upload): Promise<ImportJob> {
  const body = fileForm(file, name, {
    client_import_id: id,
    group_size: String(groupSize),
    ...fields,
    ...(dryRun && { dry_run: "true" }),
    ...(onceMore && { again: "true" }),
  });
  return read(importJob, await answer(api.POST("/api/v1/trades/imports/", { body, ...asForm })));
}

export async function fetchProfiles(): Promise<Profile[]> {
  return read(list(profile), await answer(api.GET("/api/v1/trades/imports/profiles/")));
}

/** One's own saved ways to read files. */
export async function fetchMappings(): Promise<SavedMapping[]> {
  return read(list(savedMapping), await answer(api.GET("/api/v1/trades/imports/mappings/")));
}

export async function saveMapping(name: string, said: Said): Promise<void> {
  const params = { path: { name } };
  await answer(api.PUT("/api/v1/trades/imports/mappings/{name}/", { params, body: said as never }));
}

export async function forgetMapping(name: string): Promise<void> {
  const params = { path: { name } };
  await answer(api.DELETE("/api/v1/trades/imports/mappings/{name}/", { params }));
}

export async function fetchImport(id: string): Promise<ImportJob> {
  const params = { path: { import_id: id } };
  return read(importJob, await answer(api.GET("/api/v1/trades/imports/{import_id}/", { params })));
}

/** The user's own, newest first. */
export async function fetchImports(): Promise<ImportJob[]> {
  const params = { query: { page_size: 10 } };
  return page(await answer(api.GET("/api/v1/trades/imports/", { params })), importJob).results;
}

/** Cancels every trade of an import, each as a version with the reason. */
export async function undoImport(id: string, reason: string): Promise<ImportJob> {
  const params = { path: { import_id: id } };
  const sent = api.POST("/api/v1/trades/imports/{import_id}/undo/", {
    params,
    body: { reason },
    headers: { "X-Patience": "upload" },
  });
  return read(importJob, await answer(sent));
}

/** The ids of all trades that a request group booked, in the order of its rows. */
export async function fetchGroupIds(group: string): Promise<string[]> {
  const ids = await allPages(
    (cursor) => {
      const query = { request_group: group, page_size: MOST_ON_A_PAGE, ...cursor };
      return answer(api.GET("/api/v1/trades/", { params: { query } }));
    },
    tradeId,
  );
  return ids.map(({ id }) => id).toReversed();
}

export const rejectedRowsAddress = (id: string): string => `/api/v1/trades/imports/${id}/errors.csv`;
