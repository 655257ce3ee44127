import { Link } from "@tanstack/react-router";
import type { CanaryCheck, CanaryResult } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { formatWindow } from "~/format/duration";
import { formatFigure } from "~/format/number";
import { verdictTone } from "~/pages/gate/verdict";
import { rangeSearch } from "~/time/range";
import { Distribution } from "./Distribution";
import { ErrorIntervals } from "./ErrorIntervals";

const checkName: Record<CanaryCheck["name"], string> = {
  data: "Enough data",
  latency_rank: "Latency, by ranks",
  latency_p95: "P95",
  latency_p99: "P99",
  errors: "Errors",
  saturation: "Saturation",
};

const word = { allow: "No worse", block: "Worse", insufficient: "Not enough data" } as const;

const checks: Column<CanaryCheck>[] = [
  { key: "name", head: "Check", cell: (check) => checkName[check.name] ?? check.name },
  {
    key: "verdict",
    head: "Verdict",
    cell: (check) => <StateMark tone={verdictTone[check.verdict]} word={word[check.verdict]} />,
  },
  { key: "message", head: "Why", full: true, cell: (check) => check.message },
];

interface Line {
  name: string;
  unit: "seconds" | "count" | "ratio";
  a: number | null | undefined;
  b: number | null | undefined;
}

/** A comparison: verdict, figures, errors with their bounds, both distributions, and the queries behind. */
export function CanaryView({ result }: { result: CanaryResult }) {
  const { baseline, canary } = result;
  const lines: Line[] = [
    { name: "Requests", unit: "count", a: baseline.events, b: canary.events },
    { name: "Error ratio", unit: "ratio", a: baseline.error_ratio, b: canary.error_ratio },
    { name: "P50", unit: "seconds", a: baseline.p50_seconds, b: canary.p50_seconds },
    { name: "P95", unit: "seconds", a: baseline.p95_seconds, b: canary.p95_seconds },
    { name: "P99", unit: "seconds", a: baseline.p99_seconds, b: canary.p99_seconds },
    { name: "Saturation", unit: "ratio", a: baseline.saturation, b: canary.saturation },
  ];
  const columns: Column<Line>[] = [
    { key: "name", head: "Figure", full: true, cell: (line) => line.name },
    {
      key: "a",
      head: `Baseline ${baseline.version}`,
      numeric: true,
      cell: (line) => formatFigure(line.a, line.unit),
    },
    {
      key: "b",
      head: `Canary ${canary.version}`,
      numeric: true,
      cell: (line) => formatFigure(line.b, line.unit),
    },
  ];
  const at = Date.parse(result.time);
  const around = rangeSearch({ kind: "absolute", from: at - 3_600_000, to: at });
  return (
    <div className="stack">
      <section className="panel stack tight">
        <h2>Checks</h2>
        <DataTable label="Checks" rows={result.checks} columns={checks} rowKey={(check) => check.name} />
      </section>
      <div className="grid2">
        <section className="panel stack tight">
          <h2>Figures over {formatWindow(result.window)}</h2>
          <DataTable label="Figures" rows={lines} columns={columns} rowKey={(line) => line.name} />
          <p className="dim small">A dash: not measured for this version.</p>
        </section>
        <section className="panel stack tight">
          <h2>Share of errors, with its 95 % interval</h2>
          <ErrorIntervals baseline={baseline} canary={canary} />
        </section>
      </div>
      <section className="panel stack tight">
        <h2>Latency, both distributions</h2>
        <Distribution result={result} />
      </section>
      <section className="panel stack tight">
        <h2>Queries</h2>
        <ul style={{ margin: 0, paddingLeft: 18 }}>
          {result.queries.map((query) => (
            <li key={query}>
              <Link to="/query" search={{ expr: [query], ...around }}>
                <code style={{ overflowWrap: "anywhere" }}>{query}</code>
              </Link>
            </li>
          ))}
        </ul>
      </section>
    </div>
  );
}
