import { SegmentedControl } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { buildUrl } from "~/api/client";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { useTitle } from "~/components/useTitle";
import { niceStep } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";
import { Examples } from "./Examples";
import { InstantTable } from "./InstantTable";
import { QueryChart } from "./QueryChart";
import { QueryRows } from "./QueryRows";

/** What happened? In figures. */
export function MetricsPage() {
  useTitle("Metrics");
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { resolved } = useTimeRange();
  const joined = JSON.stringify(search.expr ?? []);
  const exprs = useMemo(
    () => (JSON.parse(joined) as string[]).filter((expr) => expr.trim() !== ""),
    [joined],
  );
  const view = search.view === "table" ? "table" : "chart";
  const run = (next: string[]) =>
    void navigate({ to: ".", search: (old) => ({ ...old, expr: next.length > 0 ? next : undefined }) });
  const curl = () =>
    exprs
      .map((query) =>
        asCurl(
          buildUrl("/api/v1/query_range", {
            query,
            start: resolved.from / 1000,
            end: resolved.to / 1000,
            step: niceStep(resolved, 400),
          }),
        ),
      )
      .join("\n");
  return (
    <>
      <h1 className="sr">Metrics</h1>
      <QueryRows exprs={exprs} onRun={run} />
      {exprs.length === 0 ? (
        <Examples onPick={(expr) => run([expr])} />
      ) : (
        <>
          <div className="row between">
            <SegmentedControl
              size="xs"
              aria-label="Show"
              value={view}
              data={[
                { value: "chart", label: "Chart" },
                { value: "table", label: "Table" },
              ]}
              onChange={(next) =>
                void navigate({
                  to: ".",
                  search: (old) => ({ ...old, view: next === "table" ? "table" : undefined }),
                })
              }
            />
            <CopyMenu
              items={[
                { label: "Copy as curl", text: curl },
                { label: "Copy as PromQL", text: () => exprs.join("\n") },
              ]}
            />
          </div>
          {view === "chart" ? <QueryChart exprs={exprs} /> : <InstantTable exprs={exprs} />}
        </>
      )}
    </>
  );
}
