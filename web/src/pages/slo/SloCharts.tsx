import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { deploysQuery, sloHistoryQuery } from "~/api/queries";
import type { SLOHistory, SLOStatus } from "~/api/types";
import { Chart } from "~/chart/Chart";
import { deployMarkers } from "~/chart/deployMarkers";
import { alignRange } from "~/chart/matrix";
import type { ChartData, Shade, Threshold } from "~/chart/model";
import { Answer } from "~/components/Answer";
import { formatWindow } from "~/format/duration";
import { niceStep, parseSpan } from "~/time/range";
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

function shadesOf(slo: SLOStatus): Shade[] {
  return (slo.corrections ?? []).map((one) => ({
    from: Date.parse(one.start) / 1000,
    to: Date.parse(one.end) / 1000,
    label: one.kind || "correction",
    detail: `${one.reason}, by ${one.author}`,
  }));
}

/**
 * The budget over its own window, so that the day it was spent is in sight, and burn and errors over the
 * shared range: a drag on the first sets the range of the others.
 */
export function SloCharts({ slo }: { slo: SLOStatus }) {
  const { resolved } = useTimeRange();
  const windowMs = (parseSpan(slo.window) ?? 28 * 86_400) * 1000;
  const minute = Math.ceil(resolved.to / 60_000) * 60_000;
  const whole = useMemo(() => ({ from: minute - windowMs, to: minute }), [minute, windowMs]);
  const wholeStep = niceStep(whole, 300, 60);
  const wholeAligned = useMemo(() => alignRange(whole, wholeStep), [whole, wholeStep]);
  const step = niceStep(resolved, 240, 15);
  const aligned = useMemo(() => alignRange(resolved, step), [resolved, step]);
  const budget = useQuery(sloHistoryQuery(slo.name, wholeAligned, wholeStep));
  const history = useQuery(sloHistoryQuery(slo.name, aligned, step));
  const deploys = useQuery(deploysQuery(whole, slo.service, 500));
  const markers = useMemo(() => deployMarkers(deploys.data?.deploys ?? []), [deploys.data]);
  const shades = useMemo(() => shadesOf(slo), [slo]);
  const errorLines = useMemo<Threshold[]>(
    () => [{ value: 1 - slo.objective, label: "allowed", tone: "caution" }],
    [slo.objective],
  );
  const left = useMemo(
    () => (budget.data ? pick(budget.data, "left_ratio", "Budget left") : undefined),
    [budget.data],
  );
  const burn = useMemo(
    () => (history.data ? pick(history.data, "burn_1h", "Burn over 1 h") : undefined),
    [history.data],
  );
  const error = useMemo(
    () => (history.data ? pick(history.data, "error_ratio", "Error ratio") : undefined),
    [history.data],
  );
  return (
    <div className="stack">
      <section className="panel">
        <Answer query={budget} what="the budget's history" height={300}>
          {() =>
            left && (
              <Chart
                title={`Budget left of ${formatWindow(slo.window)}`}
                aside="drag to see what spent it"
                data={left}
                unit="ratio"
                range={whole}
                thresholds={budgetLines}
                markers={markers}
                shades={shades}
                height={220}
                empty="No budget was computed in this window."
              />
            )
          }
        </Answer>
      </section>
      <div className="grid2">
        <section className="panel">
          <Answer query={history} what="the burn's history" height={250}>
            {() =>
              burn && (
                <Chart
                  title="Burn over 1 h"
                  data={burn}
                  unit="factor"
                  thresholds={burnLines}
                  markers={markers}
                  shades={shades}
                />
              )
            }
          </Answer>
        </section>
        <section className="panel">
          <Answer query={history} what="the errors' history" height={250}>
            {() =>
              error && (
                <Chart
                  title="Error ratio"
                  data={error}
                  unit="ratio"
                  thresholds={errorLines}
                  markers={markers}
                  shades={shades}
                />
              )
            }
          </Answer>
        </section>
      </div>
    </div>
  );
}
