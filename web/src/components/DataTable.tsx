import type { ReactNode } from "react";

export interface Column<T> {
  key: string;
  head: string;
  numeric?: boolean;
  /** Takes the whole width when the table turns into cards. */
  full?: boolean;
  cell: (row: T) => ReactNode;
}

interface Props<T> {
  label: string;
  rows: readonly T[];
  columns: readonly Column<T>[];
  rowKey: (row: T) => string;
  /** The key of the column that the rows are sorted by, with a minus before it for the reverse. */
  sorted?: string | undefined;
  /** What sorts by a column; undefined for one that cannot be sorted by. */
  onSort?: (column: string) => (() => void) | undefined;
}

function direction(key: string, sorted: string | undefined): "ascending" | "descending" | undefined {
  if (sorted === key) return "ascending";
  return sorted === `-${key}` ? "descending" : undefined;
}

interface HeadProps {
  column: Pick<Column<never>, "key" | "head" | "numeric">;
  sorted: string | undefined;
  sort: (() => void) | undefined;
}

function Head({ column, sorted, sort }: HeadProps) {
  const way = direction(column.key, sorted);
  return (
    <th scope="col" className={column.numeric ? "num" : undefined} aria-sort={sort && (way ?? "none")}>
      {sort ? (
        <button type="button" className="sortable" onClick={sort}>
          {column.head}
          <span aria-hidden="true">{way === "ascending" ? " ▲" : way === "descending" ? " ▼" : ""}</span>
        </button>
      ) : (
        column.head
      )}
    </th>
  );
}

/** A plain table; on a phone each row is a card with named figures. */
export function DataTable<T>({ label, rows, columns, rowKey, sorted, onSort }: Props<T>) {
  return (
    <table className="data cards" aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <Head key={column.key} column={column} sorted={sorted} sort={onSort?.(column.key)} />
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map((column) => (
              <td
                key={column.key}
                data-label={column.full ? undefined : column.head}
                className={
                  [column.numeric ? "num" : "", column.full ? "full" : ""].join(" ").trim() || undefined
                }
              >
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
