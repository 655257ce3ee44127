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
}

/** A plain table; on a phone each row is a card with named figures. */
export function DataTable<T>({ label, rows, columns, rowKey }: Props<T>) {
  return (
    <table className="data cards" aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.key} scope="col" className={column.numeric ? "num" : undefined}>
              {column.head}
            </th>
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
