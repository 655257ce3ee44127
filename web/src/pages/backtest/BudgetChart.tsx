import { useMemo } from "react";
import type { BacktestResult, BacktestSLO } from "~/api/types";
import { Chart } from "~/chart/Chart";
import { deployMarkers } from "~/chart/deployMarkers";
import type { ChartData, Threshold } from "~/chart/model";
import { formatWindow } from "~/format/duration";
import { bandWord } from "~/slo/band";

interface Props {
  result: BacktestResult;
  name: string;
  at: number | undefined;
  onAt: (at: number) => void;
}

/** Curves on the times of both; where one has no point of its own its last one still holds. */
export function curves(sides: readonly { label: string; one: BacktestSLO | undefined }[]): ChartData {
  const known = sides.filter((side) => side.one && side.one.curve.length > 0);
  const x = [
    ...new Set(known.flatMap(({ one }) => one?.curve.map((point) => Date.parse(point.time) / 1000) ?? [])),
  ].sort((a, b) => a - b);
  return {
    x,
    series: known.map(({ label, one }, index) => {
      const points = one?.curve ?? [];
      let next = 0;
      let value: number | null = null;
      const values = x.map((time) => {
        while (next < points.length && Date.parse(points[next]?.time ?? "") / 1000 <= time)
          value = points[next++]?.left_ratio ?? null;
        return value;
      });
      return {
        label,
        values,
        tone: index === 0 && known.length > 1 ? ("unknown" as const) : ("accent" as const),
      };
    }),
  };
}

/** One SLO's budget with A and with B, its bands and the deployments of its service. */
export function BudgetChart({ result, name, at, onAt }: Props) {
  const [a, b] = result.sets;
  const ofA = a?.promises.find((one) => one.name === name);
  const ofB = b?.promises.find((one) => one.name === name);
  const one = ofB ?? ofA;
  const data = useMemo(
    () =>
      curves([
        { label: b ? "Budget left with A" : "Budget left", one: ofA },
        { label: "Budget left with B", one: ofB },
      ]),
    [ofA, ofB, b],
  );
  const range = useMemo(
    () => ({ from: Date.parse(result.start), to: Date.parse(result.end) }),
    [result.start, result.end],
  );
  const markers = useMemo(
    () =>
      deployMarkers(
        (a ?? b)?.deploys.map((item) => item.deploy).filter((deploy) => deploy.service === one?.service) ??
          [],
      ),
    [a, b, one?.service],
  );
  const thresholds = useMemo<Threshold[]>(
    () =>
      (one?.bands ?? [])
        .filter((band) => band.from > 0)
        .map((band) => ({
          value: 1 - band.from,
          label: (bandWord as Record<string, string>)[band.name] ?? band.name,
          tone: band.from >= 1 ? "danger" : "caution",
        })),
    [one],
  );
  if (!one) return null;
  return (
    <Chart
      title={`${one.display_name}: budget left of ${formatWindow(one.window)}`}
      data={data}
      unit="ratio"
      range={range}
      thresholds={thresholds}
      markers={markers}
      height={220}
      cursorAt={at === undefined ? undefined : at / 1000}
      onCursor={(seconds) => onAt(seconds * 1000)}
      empty="Its budget is not known in this time."
    />
  );
}
