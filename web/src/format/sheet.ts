/** Digits with at most one point, and perhaps a minus before them. */
const plainNumber = /^-?(\d+\.?\d*|\.\d+)$/;

/**
 * What a spreadsheet takes for a formula, and runs, when it opens the file: also behind spaces, and in the
 * full-width letters that some take for the same. The server's internal/platform/sheet has the same rule.
 */
const formula = /^[ \u00a0]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

function cell(value: string | number | null | undefined): string {
  const text = String(value ?? "");
  // What a number is written as here is never run; a text is, unless it is a plain number.
  const safe = typeof value === "number" || plainNumber.test(text) || !formula.test(text) ? text : `'${text}`;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** Rows as CSV that spreadsheets take for nothing but text and numbers. Every CSV made in the browser is made here. */
export function toSheet(rows: readonly (readonly (string | number | null | undefined)[])[]): string {
  return rows.map((row) => row.map(cell).join(",")).join("\n");
}
