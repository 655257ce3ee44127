import { Link } from "@tanstack/react-router";
import type { SLOHistory, SLOStatus } from "~/api/types";
import { buildFilter } from "~/filter/filter";
import { formatFigure } from "~/format/number";
import { formatClock, formatWhen } from "~/format/time";
import { badTraces, tracesWords } from "~/slo/badtraces";
import { routeOf } from "~/slo/burn";
import { badFilter, sourceOf } from "~/slo/source";
import { rangeSearch } from "~/time/range";
import { useTimeRange } from "~/time/useTimeRange";

/** The point nearest to a moment or, without one, that with the most errors. */
export function pointAt(history: SLOHistory, at: number | undefined) {
  const known = history.points.filter((point) => point.error_ratio !== null);
  const [first] = known;
  if (!first) return undefined;
  const time = (point: (typeof known)[number]) => Date.parse(point.time);
  return known.reduce((best, point) =>
    at === undefined
      ? (point.error_ratio ?? 0) > (best.error_ratio ?? 0)
        ? point
        : best
      : Math.abs(time(point) - at) < Math.abs(time(best) - at)
        ? point
        : best,
  );
}

interface Props {
  slo: SLOStatus;
  history: SLOHistory;
  /** Under the pointer, Unix ms. */
  at: number | undefined;
  stepSeconds: number;
}

/** From a bad point to its traces and log lines: those of its minute, of this service and route. */
export function Moment({ slo, history, at, stepSeconds }: Props) {
  const { zone, now } = useTimeRange();
  const point = pointAt(history, at);
  if (!point || ((point.error_ratio ?? 0) === 0 && at === undefined)) return null;
  const to = Date.parse(point.time);
  const search = {
    ...rangeSearch({ kind: "absolute", from: to - Math.max(stepSeconds, 60) * 1000, to }),
    live: undefined,
  };
  const source = sourceOf(slo);
  const traces = badTraces(slo);
  const logs = `${buildFilter({ service: slo.service, "http.route": routeOf(slo) })} (level:error OR level:fatal)`;
  return (
    <p className="panel row small">
      <span>
        {at === undefined ? "Worst point shown, " : "At "}
        <strong>{stepSeconds < 60 ? formatClock(to, zone) : formatWhen(to, zone, now)}</strong>:{" "}
        {formatFigure(point.error_ratio, "ratio")} bad
      </span>
      {source === "logs" ? (
        <Link to="/logs" search={{ q: badFilter(slo), ...search }}>
          Its bad lines
        </Link>
      ) : (
        <Link to="/traces" search={{ q: traces.q, order: traces.slow ? "slowest" : undefined, ...search }}>
          {traces.word ? `Its ${traces.word} traces` : tracesWords(traces)}
        </Link>
      )}
      {source !== "logs" && (
        <Link to="/logs" search={{ q: logs, ...search }}>
          Its error logs
        </Link>
      )}
      <Link to="/services/$name" params={{ name: slo.service }} search={search}>
        {slo.service} then
      </Link>
    </p>
  );
}
