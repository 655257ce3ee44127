import { SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { instantQuery } from "~/api/queries";
import type { SLOStatus } from "~/api/types";
import { Answer } from "~/components/Answer";
import { formatDuration, formatWindow } from "~/format/duration";
import { formatRatio } from "~/format/number";
import { promWindow } from "~/slo/burn";
import { type Split, type SplitQueries, splitQueries, splits, support } from "~/slo/spent";
import { useTimeRange } from "~/time/useTimeRange";
import classes from "./SpentBy.module.css";
import { SpentRows } from "./SpentRows";

/** What spent the budget, by what the indicator's series tell apart: over the SLO's window or the shown range. */
export function SpentBy({ slo }: { slo: SLOStatus }) {
  const { range, resolved } = useTimeRange();
  const [shown, setShown] = useState(range.kind === "absolute");
  const seconds = Math.round((resolved.to - resolved.from) / 1000);
  // Minutes are whole, so that a live page asks once a minute.
  const at = Math.ceil((shown ? resolved.to : Date.now()) / 60_000) * 60_000;
  const window = shown ? `${seconds}s` : promWindow(slo, at);
  const over = shown ? formatDuration(seconds) : formatWindow(slo.window);
  return (
    <section className="panel stack" aria-label="What spent the budget">
      <div className="row between">
        <h2>What spent the budget over {over}</h2>
        <SegmentedControl
          size="xs"
          aria-label="Time of the split"
          value={shown ? "shown" : "window"}
          onChange={(value) => setShown(value === "shown")}
          data={[
            { value: "window", label: `Whole window, ${formatWindow(slo.window)}` },
            { value: "shown", label: "Shown range" },
          ]}
        />
      </div>
      <div className={classes.splits}>
        {splits.map((split) => {
          const queries = splitQueries(slo, split);
          return "reason" in queries ? (
            <Absent key={split} split={split} reason={queries.reason} />
          ) : (
            <OneSplit key={split} slo={slo} split={split} queries={queries} window={window} at={at} />
          );
        })}
      </div>
      <p className="dim small">
        By lift: the share among the bad events over the share among all. A group below {support.events} bad
        events or {formatRatio(support.share)} of them says too little and comes last.
      </p>
    </section>
  );
}

function Absent({ split, reason }: { split: Split; reason: string }) {
  return (
    <div className="stack tight">
      <h3 className={classes.head}>By {split}</h3>
      <p className="dim">– ({reason})</p>
    </div>
  );
}

interface Props {
  slo: SLOStatus;
  split: Split;
  queries: SplitQueries;
  window: string;
  at: number;
}

function OneSplit({ slo, split, queries, window, at }: Props) {
  const bad = queries.bad.replaceAll("$window", window);
  const spent = useQuery(instantQuery(bad, at));
  const total = useQuery(instantQuery(queries.total.replaceAll("$window", window), at));
  const both = { ...spent, data: total.data && spent.data, error: spent.error ?? total.error };
  return (
    <div className="stack tight">
      <div className="row between">
        <h3 className={classes.head}>By {split}</h3>
        <Link to="/query" search={{ expr: [bad], view: "table" }} className="small">
          Open in Metrics
        </Link>
      </div>
      <Answer query={both} what={`the budget by ${split}`} height={120}>
        {(data) => (
          <SpentRows
            slo={slo}
            split={split}
            label={queries.label}
            bad={data.data}
            total={total.data?.data}
            wholeWindow={window === promWindow(slo, at)}
          />
        )}
      </Answer>
    </div>
  );
}
