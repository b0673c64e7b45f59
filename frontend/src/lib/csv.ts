/** Tables to be written as CSV files: those to download are safe to open in a spreadsheet. */

/**
 * A spreadsheet takes text that begins so for a formula; numbers are no danger. What begins like a
 * cell made safe counts too, so that each comes back as it was. The server's files have the same
 * rule, in kernel/spreadsheet_text.py.
 */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^-?\d+(\.\d+)?$/;
const PERCENT = /^[+-]?\d[\d,]*(\.\d+)?%$/;

/** A cell to be pasted into a spreadsheet, where a percentage is a number too. */
export function safeCell(value: string): string {
  return PERCENT.test(value) ? value : safe(value);
}

/** The cell of a text. */
export function safe(value: string): string {
  return FORMULA.test(value) && !NUMBER.test(value) ? `'${value}` : value;
}

function cell(value: string): string {
  return /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function line(values: readonly string[]): string {
  return `${values.map(cell).join(",")}\r\n`;
}

/** To be read by people. */
export function csvLine(values: readonly string[]): string {
  return line(values.map(safe));
}

/** With a byte-order mark, without which Excel takes UTF-8 for something else. */
export function csvFile(header: readonly string[], rows: Iterable<readonly string[]>): Blob {
  const parts = ["\uFEFF", csvLine(header)];
  for (const row of rows) parts.push(csvLine(row));
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}

/** To be read by a program: every text as it is. */
export function plainCsvFile(header: readonly string[], rows: Iterable<readonly string[]>): Blob {
  const parts = [line(header)];
  for (const row of rows) parts.push(line(row));
  return new Blob(parts, { type: "text/csv;charset=utf-8" });
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
