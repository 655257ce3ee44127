import { useState } from "react";
import type { BacktestResult } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { PartialNote } from "~/components/PartialNote";
import { formatDuration } from "~/format/duration";
import { plural } from "~/format/number";
import classes from "./Backtest.module.css";
import { BudgetChart } from "./BudgetChart";
import { DeploysTable } from "./DeploysTable";
import { figureText } from "./export";
import { either, isPage, pairSLOs, unknownOf } from "./outcome";
import { PagesTable } from "./PagesTable";
import { SLOsTable } from "./SLOsTable";
import { Timeline } from "./Timeline";

/** Figures first, then when, then each page, deployment and SLO with its evidence. */
export function ResultView({ result }: { result: BacktestResult }) {
  const [at, setAt] = useState<number | undefined>(undefined);
  const [a, b] = result.sets;
  const [worst] = pairSLOs(a?.promises ?? [], b?.promises ?? []);
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const name = chosen ?? (worst ? either(worst).name : undefined);
  const all = result.sets.flatMap((set) => set.pages);
  const others = all.some((page) => !isPage(page));
  return (
    <div className="stack">
      <PartialNote messages={unknownOf(result)} />
      <section className="panel stack tight">
        <h2>{b ? "A against B" : "In figures"}</h2>
        <Figures result={result} />
      </section>
      <section className="panel stack tight">
        <h2>When</h2>
        <Timeline result={result} at={at} onAt={setAt} />
        {name && <BudgetChart key={name} result={result} name={name} at={at} onAt={setAt} />}
      </section>
      <section className="panel stack tight">
        <h2>Pages</h2>
        {all.some(isPage) ? (
          <PagesTable result={result} label="Pages" wanted={isPage} />
        ) : (
          <EmptyNote title="Nobody would have been paged.">
            A page is a notification of severity critical, page, P0 or P1.
          </EmptyNote>
        )}
      </section>
      <section className="panel stack tight">
        <h2>Deployments and the gate</h2>
        <DeploysTable result={result} />
      </section>
      <section className="panel stack tight">
        <h2>SLOs and their bands</h2>
        {worst ? (
          <SLOsTable result={result} chosen={name} onChoose={setChosen} />
        ) : (
          <p className="dim">No SLO was replayed, only alert rules.</p>
        )}
      </section>
      {others && (
        <section className="panel stack tight">
          <h2>Notifications that wake nobody</h2>
          <PagesTable result={result} label="Other notifications" wanted={(page) => !isPage(page)} />
        </section>
      )}
      <Notes result={result} />
    </div>
  );
}

type Difference = BacktestResult["difference"][number];

const firstFigures =
  /^(pages|time paged|other notifications|pages to |deployments: |time in band |time unknown|alerts$)/;

function Figures({ result }: { result: BacktestResult }) {
  const compared = result.sets.length > 1;
  const rows = result.difference.filter(
    (line) =>
      firstFigures.test(line.what) &&
      (line.a !== 0 || line.b !== 0 || line.what === "pages" || /: (hold|block)$/.test(line.what)),
  );
  const columns: Column<Difference>[] = [
    { key: "what", head: "What", full: true, cell: (line) => <Word line={line} /> },
    {
      key: "a",
      head: compared ? "A" : "Figure",
      numeric: true,
      cell: (line) => figureText(line.a, line.unit),
    },
    ...(compared
      ? [
          { key: "b", head: "B", numeric: true, cell: (line: Difference) => figureText(line.b, line.unit) },
          {
            key: "difference",
            head: "B against A",
            numeric: true,
            cell: (line: Difference) =>
              line.difference === 0 ? (
                <span className="dim">the same</span>
              ) : (
                <strong>
                  {figureText(Math.abs(line.difference), line.unit)} {line.difference > 0 ? "more" : "less"}
                </strong>
              ),
          },
        ]
      : []),
  ];
  return <DataTable label="Figures" rows={rows} columns={columns} rowKey={(line) => line.what} />;
}

/** What a band lets through, so that its time says what it would have meant. */
const meaning: Record<string, string> = {
  normal: "releases go as usual",
  caution: "releases go, with care",
  "critical-fixes-only": "only critical fixes go",
  freeze: "nothing goes",
};

const deployWord: Record<string, string> = {
  allow: "Deployments allowed",
  hold: "Deployments held",
  block: "Deployments blocked",
  insufficient: "Deployments without enough data",
};

function Word({ line }: { line: Difference }) {
  const [, band] = /^time in band (.+)$/.exec(line.what) ?? [];
  if (band)
    return (
      <>
        Time in band {band} <span className="dim">{meaning[band] ?? ""}, all SLOs together</span>
      </>
    );
  const [, verdict] = /^deployments: (.+)$/.exec(line.what) ?? [];
  if (verdict) return <>{deployWord[verdict] ?? line.what}</>;
  if (line.what === "time unknown")
    return (
      <>
        Time unknown <span className="dim">all SLOs together</span>
      </>
    );
  return <>{line.what.charAt(0).toUpperCase() + line.what.slice(1)}</>;
}

function Notes({ result }: { result: BacktestResult }) {
  const seconds = (Date.parse(result.end) - Date.parse(result.start)) / 1000;
  return (
    <section className="panel stack tight">
      <h2>What the figures leave out</h2>
      <ul className={classes.notes}>
        {result.notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
        <li>
          Times are exact to {result.step}: {formatDuration(seconds)} in{" "}
          {plural(Math.round(seconds / stepSeconds(result.step)), "step")}. The running engine is faster.
        </li>
        <li>
          Silences, inhibition, repeats, open pages, dependencies and overrides of the time are not replayed.
        </li>
        <li>What has left the metrics store is unknown, never good.</li>
      </ul>
    </section>
  );
}

function stepSeconds(step: string): number {
  const [, count = "1", unit = "m"] = /^(\d+)([mh])/.exec(step) ?? [];
  return Number(count) * (unit === "h" ? 3600 : 60);
}
