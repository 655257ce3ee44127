import { Slider } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { rangeQuery } from "~/api/queries";
import type { SLOStatus } from "~/api/types";
import { Answer } from "~/components/Answer";
import { formatWindow, windowSeconds } from "~/format/duration";
import { sourceOf, sourceWord } from "~/slo/source";
import { knownLeft } from "~/slo/state";
import { hours, nearest, stopsFor } from "~/slo/whatif";
import classes from "./WhatIf.module.css";
import { WhatIfFacts } from "./WhatIfFacts";

/** What another target or window would have meant, from what was measured. */
export function WhatIf({ slo }: { slo: SLOStatus }) {
  const stops = stopsFor(slo);
  const own = {
    target: nearest(stops.targets, slo.objective * 100),
    window: Math.max(0, stops.windows.indexOf(slo.window)),
  };
  const [target, setTarget] = useState(own.target);
  const [window, setWindow] = useState(own.window);
  const percent = stops.targets[target] ?? slo.objective * 100;
  const span = stops.windows[window] ?? slo.window;
  const seconds = windowSeconds(span) ?? 28 * 86_400;
  const end = Math.floor(Date.now() / 3_600_000) * 3_600_000;
  const range = { from: end - seconds * 1000 + 3_600_000, to: end };
  const plain = sourceOf(slo) === "promql";
  const error = useQuery(rangeQuery(plain ? slo.queries.error.replaceAll("$window", "1h") : "", range, 3600));
  const total = useQuery(
    rangeQuery(plain ? (slo.queries.total ?? "").replaceAll("$window", "1h") : "", range, 3600),
  );
  const waits = Boolean(slo.queries.total) && !total.data;
  const both = { ...error, data: waits ? undefined : error.data, error: error.error ?? total.error };
  const changed = target !== own.target || window !== own.window;
  return (
    <section className="panel stack" aria-label="What if">
      <div className="row between">
        <h2>What if the objective were another?</h2>
        {changed && (
          <button
            type="button"
            className="linkish small"
            onClick={() => {
              setTarget(own.target);
              setWindow(own.window);
            }}
          >
            Back to {stops.targets[own.target]} % over {formatWindow(slo.window)}
          </button>
        )}
      </div>
      <div className={classes.sliders}>
        <div>
          <p className={classes.label}>
            Target <strong>{percent} %</strong>
          </p>
          <Slider
            thumbLabel="Target"
            min={0}
            max={stops.targets.length - 1}
            step={1}
            value={target}
            onChange={setTarget}
            label={(at) => `${stops.targets[at]} %`}
            thumbValueText={`${percent} %`}
          />
        </div>
        <div>
          <p className={classes.label}>
            Window <strong>{formatWindow(span)}</strong>
          </p>
          <Slider
            thumbLabel="Window"
            min={0}
            max={stops.windows.length - 1}
            step={1}
            value={window}
            onChange={setWindow}
            label={(at) => formatWindow(stops.windows[at] ?? "")}
            thumbValueText={formatWindow(span)}
          />
        </div>
      </div>
      {knownLeft(slo) === undefined ? (
        <p className="dim">– (how it stands is not known: {slo.reason})</p>
      ) : sourceOf(slo) !== "promql" ? (
        <p className="dim">
          – (it counts {sourceWord[sourceOf(slo)]}, so the replay below answers, not arithmetic)
        </p>
      ) : (
        <Answer query={both} what="the hours behind it" height={90}>
          {(data) => (
            <WhatIfFacts
              list={hours(data.data, slo.queries.total ? total.data?.data : undefined)}
              target={percent / 100}
              window={span}
              slo={slo}
            />
          )}
        </Answer>
      )}
      <div className="row">
        <Link
          to="/backtest"
          search={{
            slo: slo.name,
            target: target !== own.target ? String(percent) : undefined,
            window: window !== own.window ? span : undefined,
            last: undefined,
            from: undefined,
            to: undefined,
          }}
        >
          {changed
            ? `Replay ${percent} % over ${formatWindow(span)} over the last 28 days`
            : "Replay the last 28 days"}
        </Link>
        <span className="dim small">every minute, with alerts, routing and the gate</span>
      </div>
      <p className="dim small">
        Over the SLO's own window it starts from the budget as judged now; over another it is arithmetic on
        hourly figures up to the last full hour, without corrections.
      </p>
    </section>
  );
}
