import { useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { exemplarsQuery, rangeQuery } from "~/api/queries";
import { copyText } from "~/components/clipboard";
import { ErrorNote } from "~/components/ErrorNote";
import type { Tone } from "~/components/StateMark";
import type { Unit } from "~/format/number";
import { niceStep } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";
import { Chart } from "./Chart";
import { alignRange, toChartData, toExemplarPoints } from "./matrix";
import type { Marker, Threshold } from "./model";

export interface NamedQuery {
  name: string;
  expr: string;
  tone?: Tone | "accent";
}

interface Props {
  title: string;
  unit: Unit;
  queries: readonly NamedQuery[];
  thresholds?: readonly Threshold[];
  markers?: readonly Marker[];
  /** The selector whose exemplars are drawn. */
  exemplarsOf?: string | undefined;
  height?: number;
  empty?: string;
}

/** A chart of PromQL queries over the shared range. */
export function PromChart({
  title,
  unit,
  queries,
  thresholds,
  markers,
  exemplarsOf = "",
  height,
  empty,
}: Props) {
  const { resolved } = useTimeRange();
  const navigate = useNavigate();
  const step = niceStep(resolved, 240);
  const aligned = useMemo(() => alignRange(resolved, step), [resolved, step]);
  const results = useQueries({ queries: queries.map((query) => rangeQuery(query.expr, aligned, step)) });
  const exemplars = useQuery({ ...exemplarsQuery(exemplarsOf, aligned), enabled: exemplarsOf !== "" });
  const stamp = results.map((result) => result.dataUpdatedAt).join();
  const asked = JSON.stringify(queries);
  // biome-ignore lint/correctness/useExhaustiveDependencies: stamp and asked stand for the answers and queries.
  const data = useMemo(() => {
    const named = queries.map((query, index) => ({ name: query.name, data: results[index]?.data?.data }));
    const chart = toChartData(named, aligned, step);
    for (const query of queries) {
      if (query.tone)
        for (const one of chart.series) if (one.label.startsWith(query.name)) one.tone = query.tone;
    }
    return chart;
  }, [stamp, asked, aligned, step]);
  const points = useMemo(() => toExemplarPoints(exemplars.data ?? [], aligned), [exemplars.data, aligned]);
  const failed = results.find((result) => result.error);
  const pending = results.some((result) => result.isPending && result.fetchStatus !== "idle");
  const exprs = queries.map((query) => query.expr);
  return (
    <div className="stack tight">
      {failed?.error && <ErrorNote what={title} error={failed.error} onRetry={() => void failed.refetch()} />}
      <Chart
        title={title}
        data={data}
        unit={unit}
        {...(height ? { height } : {})}
        {...(thresholds ? { thresholds } : {})}
        {...(markers ? { markers } : {})}
        exemplars={points}
        onExemplar={(id) => void navigate({ to: "/traces/$id", params: { id } })}
        empty={pending ? "Loading" : empty}
        menu={[
          {
            label: "Open in Metrics",
            onClick: () => void navigate({ to: "/query", search: { expr: exprs } }),
          },
          { label: "Copy PromQL", onClick: () => void copyText(exprs.join("\n")) },
        ]}
      />
    </div>
  );
}
