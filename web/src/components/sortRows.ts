import type { SortColumn } from "./SortedTable";

/** Rows in the order of a column, or of its reverse with a minus before its key; equal ones stay as they came. */
export function sortRows<T>(
  rows: readonly T[],
  columns: readonly SortColumn<T>[],
  order: string | undefined,
): readonly T[] {
  const reverse = order?.startsWith("-") ? -1 : 1;
  const by = columns.find((column) => column.key === order?.replace(/^-/, ""))?.by;
  if (!by) return rows;
  const known = rows.filter((row) => by(row) !== undefined);
  const sorted = known.toSorted((a, b) => reverse * compare(by(a) ?? "", by(b) ?? ""));
  return [...sorted, ...rows.filter((row) => by(row) === undefined)];
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), "en", { numeric: true });
}
