import { useQueries } from "@tanstack/react-query";
import { instantQuery } from "~/api/queries";
import type { PromData, PromLabels } from "~/api/types";
import { seriesLabel } from "~/chart/matrix";
import { type Column, DataTable } from "~/components/DataTable";
import { ErrorNote } from "~/components/ErrorNote";
import { axisUnit, formatFigure, plural } from "~/format/number";
import { formatDateTime } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";

interface SampleRow {
  key: string;
  label: string;
  value: number;
  raw: string;
}

const shownAtMost = 500;

function rowsOf(data: PromData | undefined): SampleRow[] {
  if (!data) return [];
  if (data.resultType === "scalar" || data.resultType === "string") {
    return [{ key: "value", label: data.resultType, value: Number(data.result[1]), raw: data.result[1] }];
  }
  if (data.resultType !== "vector") return [];
  return data.result.map((sample) => {
    const label = fullLabel(sample.metric);
    const raw = sample.value?.[1] ?? (sample.histogram ? `histogram of ${sample.histogram[1].count}` : "");
    return { key: label, label, value: Number(raw), raw };
  });
}

function fullLabel(metric: PromLabels): string {
  return seriesLabel(metric, "");
}

/** The newest value of each series at the end of the range. */
export function InstantTable({ exprs }: { exprs: readonly string[] }) {
  const { resolved, zone } = useTimeRange();
  const results = useQueries({ queries: exprs.map((expr) => instantQuery(expr, resolved.to)) });
  return (
    <div className="stack">
      {results.map((result, at) => {
        const expr = exprs[at] ?? "";
        const rows = rowsOf(result.data?.data).sort((a, b) => b.value - a.value);
        const unit = axisUnit(expr);
        const columns: Column<SampleRow>[] = [
          {
            key: "series",
            head: "Series",
            full: true,
            cell: (row) => <code style={{ overflowWrap: "anywhere" }}>{row.label}</code>,
          },
          {
            key: "value",
            head: "Value",
            numeric: true,
            cell: (row) => (
              <span title={row.raw}>{Number.isNaN(row.value) ? row.raw : formatFigure(row.value, unit)}</span>
            ),
          },
        ];
        return (
          <section key={at} className="panel stack tight">
            <p className="small dim">
              {result.data
                ? `${plural(rows.length, "series", "series")} at ${formatDateTime(resolved.to, zone)}`
                : "Asking"}{" "}
              <code>{expr}</code>
            </p>
            {result.error && (
              <ErrorNote
                what="the query's answer"
                error={result.error}
                onRetry={() => void result.refetch()}
              />
            )}
            {rows.length > 0 && (
              <DataTable
                label={`Values of query ${at + 1}`}
                rows={rows.slice(0, shownAtMost)}
                columns={columns}
                rowKey={(row) => row.key}
              />
            )}
            {rows.length > shownAtMost && <p className="dim small">The {shownAtMost} largest are shown.</p>}
          </section>
        );
      })}
    </div>
  );
}
