import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { deploysQuery, sloHistoryQuery } from "~/api/queries";
import type { SLOHistory, SLOStatus } from "~/api/types";
import { Chart } from "~/chart/Chart";
import { deployMarkers } from "~/chart/deployMarkers";
import { alignRange } from "~/chart/matrix";
import type { ChartData, Shade, Threshold } from "~/chart/model";
import { Answer } from "~/components/Answer";
import { suspicion } from "~/components/TamperedMark";
import { formatWindow, windowSeconds } from "~/format/duration";
import { formatRatio } from "~/format/number";
import { burnLimit } from "~/slo/burn";
import { withNow } from "~/slo/history";
import { type Limits, useLimits } from "~/slo/limits";
import { niceStep, type ResolvedRange } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";
import { Moment } from "./Moment";

/** The policy's bands as lines over the budget left; the last of it is drawn without a policy too. */
function budgetLines({ bands }: Limits): Threshold[] {
  const lines: Threshold[] = [];
  if (bands && bands.caution < bands.hold)
    lines.push({
      value: 1 - bands.caution,
      label: `${formatRatio(1 - bands.caution)}: caution`,
      tone: "unknown",
    });
  if (bands && bands.hold < bands.freeze)
    lines.push({
      value: 1 - bands.hold,
      label: `${formatRatio(1 - bands.hold)}: releases are held`,
      tone: "caution",
    });
  lines.push({ value: 0, label: "nothing left", tone: "danger" });
  return lines;
}

/** The burn over 1 h at which its limit stands, where the policy has one. */
function burnLines(limits: Limits): Threshold[] {
  const lines: Threshold[] = [{ value: 1, label: "1×: lasts the window", tone: "unknown" }];
  const limit = burnLimit("1h", limits);
  if (limit) lines.unshift({ value: limit.limit, label: `${limit.limit}×: ${limit.effect}`, tone: "danger" });
  return lines;
}

/** The window that ends at `to`, Unix ms; a calendar window has its own ends. */
export function windowRange(slo: SLOStatus, to: number): ResolvedRange {
  const start = Date.parse(slo.window_start ?? "");
  const end = Date.parse(slo.window_end ?? "");
  if (Number.isFinite(start) && Number.isFinite(end) && start < to) return { from: start, to: end };
  return { from: to - (windowSeconds(slo.window) ?? 28 * 86_400) * 1000, to };
}

function pick(history: SLOHistory, key: "left_ratio" | "burn_1h" | "error_ratio", label: string): ChartData {
  return {
    x: history.points.map((point) => Date.parse(point.time) / 1000),
    series: [{ label, values: history.points.map((point) => point[key]), tone: "accent" }],
  };
}

export function shadesOf(slo: SLOStatus): Shade[] {
  return (slo.corrections ?? []).map((one) => ({
    from: Date.parse(one.start) / 1000,
    to: Date.parse(one.end) / 1000,
    label: one.kind || "correction",
    detail: `${one.reason}, by ${one.author}${one.tampered ? `. ${suspicion(one.tampered).word}: ${one.tampered}` : ""}`,
  }));
}

/**
 * The budget over its own window, so that the day it was spent is in sight, and burn and errors over the
 * shared range: a drag on the first sets the range of the others.
 */
export function SloCharts({ slo }: { slo: SLOStatus }) {
  const { resolved } = useTimeRange();
  const [at, setAt] = useState<number | undefined>(undefined);
  const onCursor = (seconds: number) => setAt(seconds * 1000);
  const limits = useLimits()(slo.name);
  const minute = Math.ceil(resolved.to / 60_000) * 60_000;
  // biome-ignore lint/correctness/useExhaustiveDependencies: of the SLO only its window counts.
  const whole = useMemo(
    () => windowRange(slo, minute),
    [minute, slo.window, slo.window_start, slo.window_end],
  );
  const budgetLimits = useMemo(() => budgetLines(limits), [limits]);
  const burnLimits = useMemo(() => burnLines(limits), [limits]);
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
    () => (budget.data ? pick(withNow(budget.data, slo), "left_ratio", "Budget left") : undefined),
    [budget.data, slo],
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
                title={`Budget left over ${formatWindow(slo.window)}`}
                aside="drag to see what spent it"
                data={left}
                unit="ratio"
                range={whole}
                thresholds={budgetLimits}
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
                  onCursor={onCursor}
                  data={burn}
                  unit="factor"
                  thresholds={burnLimits}
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
                  onCursor={onCursor}
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
      {history.data && <Moment slo={slo} history={history.data} at={at} stepSeconds={step} />}
    </div>
  );
}
