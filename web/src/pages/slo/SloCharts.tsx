import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { deploysQuery, sloHistoryQuery } from "~/api/queries";
import type { SLOHistory, SLOStatus } from "~/api/types";
import { Chart } from "~/chart/Chart";
import { deployMarkers } from "~/chart/deployMarkers";
import { alignRange } from "~/chart/matrix";
import type { ChartData, Threshold } from "~/chart/model";
import { Answer } from "~/components/Answer";
import { formatWindow } from "~/format/duration";
import { niceStep } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";

const budgetLines: Threshold[] = [
  { value: 0.25, label: "25 %: releases are held", tone: "caution" },
  { value: 0, label: "nothing left", tone: "danger" },
];
const burnLines: Threshold[] = [
  { value: 14, label: "14×: pages and blocks", tone: "danger" },
  { value: 1, label: "1×: lasts the window", tone: "unknown" },
];

function pick(history: SLOHistory, key: "left_ratio" | "burn_1h" | "error_ratio", label: string): ChartData {
  return {
    x: history.points.map((point) => Date.parse(point.time) / 1000),
    series: [{ label, values: history.points.map((point) => point[key]), tone: "accent" }],
  };
}

/** The budget's curve, the burn and the error ratio, with the deployments of the service. */
export function SloCharts({ slo }: { slo: SLOStatus }) {
  const { resolved } = useTimeRange();
  const step = niceStep(resolved, 240, 15);
  const aligned = useMemo(() => alignRange(resolved, step), [resolved, step]);
  const history = useQuery(sloHistoryQuery(slo.name, aligned, step));
  const deploys = useQuery(deploysQuery(resolved, slo.service));
  const markers = useMemo(() => deployMarkers(deploys.data?.deploys ?? []), [deploys.data]);
  const errorLines = useMemo<Threshold[]>(
    () => [{ value: 1 - slo.objective, label: "promised", tone: "caution" }],
    [slo.objective],
  );
  const charts = useMemo(() => {
    if (!history.data) return undefined;
    return {
      left: pick(history.data, "left_ratio", "Budget left"),
      burn: pick(history.data, "burn_1h", "Burn over 1 h"),
      error: pick(history.data, "error_ratio", "Error ratio"),
    };
  }, [history.data]);
  return (
    <Answer query={history} what="the budget's history" height={300}>
      {() =>
        charts && (
          <div className="stack">
            <section className="panel">
              <Chart
                title={`Budget left of ${formatWindow(slo.window)}`}
                data={charts.left}
                unit="ratio"
                thresholds={budgetLines}
                markers={markers}
                height={220}
                empty="No budget was computed in this time range."
              />
            </section>
            <div className="grid2">
              <section className="panel">
                <Chart
                  title="Burn over 1 h"
                  data={charts.burn}
                  unit="factor"
                  thresholds={burnLines}
                  markers={markers}
                />
              </section>
              <section className="panel">
                <Chart
                  title="Error ratio"
                  data={charts.error}
                  unit="ratio"
                  thresholds={errorLines}
                  markers={markers}
                />
              </section>
            </div>
          </div>
        )
      }
    </Answer>
  );
}
