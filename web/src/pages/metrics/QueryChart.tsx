import { useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo } from "react";
import { deploysQuery, exemplarsQuery, rangeQuery } from "~/api/queries";
import { Chart } from "~/chart/Chart";
import { deployMarkers } from "~/chart/deployMarkers";
import { alignRange, toChartData, toExemplarPoints } from "~/chart/matrix";
import { copyText } from "~/components/clipboard";
import { ErrorNote } from "~/components/ErrorNote";
import { PartialNote } from "~/components/PartialNote";
import { formatDuration } from "~/format/duration";
import { axisUnit, plural } from "~/format/number";
import { niceStep } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";

const drawnAtMost = 200;

/** Every query's series on one chart. */
export function QueryChart({ exprs }: { exprs: readonly string[] }) {
  const { resolved } = useTimeRange();
  const navigate = useNavigate();
  const step = niceStep(resolved, 400);
  const aligned = useMemo(() => alignRange(resolved, step), [resolved, step]);
  const results = useQueries({ queries: exprs.map((expr) => rangeQuery(expr, aligned, step)) });
  // An exemplar is a duration: on a rate's axis it would mean nothing.
  const withExemplars = exprs.find((expr) => /_quantile\s*\(/.test(expr)) ?? "";
  const exemplars = useQuery({ ...exemplarsQuery(withExemplars, aligned), enabled: withExemplars !== "" });
  const deploys = useQuery(deploysQuery(resolved));
  const markers = useMemo(() => deployMarkers(deploys.data?.deploys ?? [], true), [deploys.data]);
  const stamp = results.map((result) => result.dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: stamp stands for the answers.
  const all = useMemo(
    () =>
      toChartData(
        exprs.map((_, at) => ({ name: "", data: results[at]?.data?.data })),
        aligned,
        step,
      ),
    [stamp, exprs, aligned, step],
  );
  const data = useMemo(() => ({ x: all.x, series: all.series.slice(0, drawnAtMost) }), [all]);
  const points = useMemo(() => toExemplarPoints(exemplars.data ?? [], aligned), [exemplars.data, aligned]);
  const pending = results.some((result) => result.isFetching && !result.data);
  const messages = results.flatMap((result) => result.data?.warnings ?? []);
  const unit = axisUnit(exprs.join(" "));
  return (
    <div className="stack tight">
      {results.map(
        (result, at) =>
          result.error && (
            <ErrorNote
              key={exprs[at]}
              what={exprs.length > 1 ? `query ${at + 1}` : "the query's answer"}
              error={result.error}
              onRetry={() => void result.refetch()}
            />
          ),
      )}
      <PartialNote messages={[...new Set(messages)]} />
      {all.series.length > drawnAtMost && (
        <PartialNote
          messages={[
            `${drawnAtMost} of ${plural(all.series.length, "series", "series")} are drawn: aggregate with sum by (…) or topk.`,
          ]}
        />
      )}
      <section className="panel">
        <Chart
          title={plural(all.series.length, "series", "series").replace(/^n/, "N")}
          data={data}
          unit={unit}
          height={320}
          markers={markers}
          exemplars={points}
          onExemplar={(id) => void navigate({ to: "/traces/$id", params: { id } })}
          aside={`step ${formatDuration(step)}`}
          empty={pending ? "Asking" : "The query has no answer in this time range."}
          menu={[{ label: "Copy PromQL", onClick: () => void copyText(exprs.join("\n")) }]}
        />
      </section>
    </div>
  );
}
