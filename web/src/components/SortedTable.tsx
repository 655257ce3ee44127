import { Button, Select } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useState } from "react";
import { plural } from "~/format/number";
import { type Column, DataTable } from "./DataTable";
import { sortRows } from "./sortRows";

export interface SortColumn<T> extends Column<T> {
  /** What the column is sorted by; a column without it is not. Rows without a value come last. */
  by?: (row: T) => string | number | undefined;
}

interface Props<T> {
  label: string;
  rows: readonly T[];
  columns: readonly SortColumn<T>[];
  rowKey: (row: T) => string;
  /** A column's key, with a minus before it for the reverse; the rows as they are without. */
  order: string | undefined;
  onOrder: (order: string | undefined) => void;
}

/** So many rows at first, and more at each wish: thousands at once would hold the page up. */
const step = 200;

/** A table that whoever reads it sorts: by the heads of its columns, on a phone by a list of them. */
export function SortedTable<T>({ label, rows, columns, rowKey, order, onOrder }: Props<T>) {
  const narrow = useMediaQuery("(max-width: 720px)");
  const [most, setMost] = useState(step);
  const able = columns.filter((column) => column.by);
  const next = (key: string) => (order === key ? `-${key}` : order === `-${key}` ? undefined : key);
  return (
    <div className="stack tight">
      {narrow && (
        <Select
          label="Sorted by"
          data={[
            { value: "", label: "As it comes" },
            ...able.flatMap((column) => [
              { value: column.key, label: column.head },
              { value: `-${column.key}`, label: `${column.head}, reversed` },
            ]),
          ]}
          value={order ?? ""}
          allowDeselect={false}
          onChange={(value) => onOrder(value || undefined)}
        />
      )}
      <DataTable
        label={label}
        rows={sortRows(rows, columns, order).slice(0, most)}
        rowKey={rowKey}
        columns={columns}
        sorted={order}
        onSort={(column) =>
          able.some((one) => one.key === column) ? () => onOrder(next(column)) : undefined
        }
      />
      {rows.length > most && (
        <div>
          <Button variant="default" onClick={() => setMost(most + step)}>
            Show {plural(Math.min(step, rows.length - most), "more row")}
          </Button>
        </div>
      )}
    </div>
  );
}
