import { Link } from "@tanstack/react-router";
import type { Report, ReportInternal } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { type Fact, Facts } from "~/components/Facts";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatDuration, significant } from "~/format/duration";
import { formatFigure, plural } from "~/format/number";
import { severityTone, severityWord } from "~/pages/alerts/severity";
import { verdictTone, verdictWord } from "~/pages/gate/verdict";
import { bandWord } from "~/slo/band";
import classes from "./Report.module.css";
import { formatAchieved, formatMinutes } from "./verdicts";

type Severity = ReportInternal["pages"]["severities"][number];
type Span = Severity["detect"];
type Budget = ReportInternal["budgets"][number];
type Decision = ReportInternal["gate"]["list"][number];
type Deploy = ReportInternal["deploys"]["list"][number];

function spanText(span: Span): string {
  if (span.mean_seconds === null) return "–";
  const target =
    span.target_seconds === null
      ? ""
      : `, ${span.in_time} of ${span.known} within ${formatDuration(span.target_seconds)}`;
  return `${formatDuration(span.mean_seconds)} on average${target}`;
}

const severities: Column<Severity>[] = [
  {
    key: "severity",
    head: "Severity",
    cell: (one) => <StateMark tone={severityTone(one.severity)} word={severityWord(one.severity)} />,
  },
  { key: "pages", head: "Pages", numeric: true, cell: (one) => String(one.pages) },
  { key: "detect", head: "To detect", cell: (one) => spanText(one.detect) },
  { key: "ack", head: "To acknowledge", cell: (one) => spanText(one.acknowledge) },
  { key: "resolve", head: "To resolve", cell: (one) => spanText(one.resolve) },
];

const spent: Column<Budget>[] = [
  {
    key: "slo",
    head: "SLO",
    full: true,
    cell: (one) => (
      <Link to="/slos/$name" params={{ name: one.slo }}>
        {one.slo}
      </Link>
    ),
  },
  {
    key: "kind",
    head: "Spent by",
    cell: (one) => ({ slow: "slow requests" })[one.kind as string] ?? one.kind,
  },
  { key: "used", head: "Used", numeric: true, cell: (one) => formatMinutes(one.used_minutes) },
  { key: "allowed", head: "Allowed", numeric: true, cell: (one) => formatMinutes(one.allowed_minutes) },
  {
    key: "ratio",
    head: "Of the budget",
    numeric: true,
    cell: (one) => formatFigure(one.used_ratio, "ratio"),
  },
];

const deploys: Column<Deploy>[] = [
  { key: "time", head: "When", cell: (one) => <When at={one.time ?? ""} /> },
  { key: "what", head: "Deployment", cell: (one) => `${one.service} ${one.version}` },
  { key: "outcome", head: "What became of it", full: true, cell: (one) => one.outcome },
];

const decisions: Column<Decision>[] = [
  { key: "time", head: "When", cell: (one) => <When at={one.time} /> },
  {
    key: "verdict",
    head: "Verdict",
    cell: (one) => <StateMark tone={verdictTone[one.verdict]} word={verdictWord[one.verdict]} />,
  },
  {
    key: "why",
    head: "Why",
    full: true,
    cell: (one) => (
      <>
        <Link to="/gate/$id" params={{ id: one.id }}>
          {one.service} {one.version}
        </Link>
        : {one.summary}
        {one.overridden_by && (
          <span className="dim">
            {" "}
            Overridden by {one.overridden_by}: {one.override_reason}
          </span>
        )}
      </>
    ),
  },
];

function facts(internal: ReportInternal): Fact[] {
  const { pages, deploys: went, gate, platform } = internal;
  return [
    {
      name: "Pages",
      value: String(pages.pages),
      note: `${significant(pages.per_week)} a week; ${pages.target_per_week} are the target`,
    },
    {
      name: "Deployments",
      value: String(went.deploys),
      note: `${went.failed} failed, ${went.rolled_back} rolled back, ${went.breached} followed by a breach`,
    },
    {
      name: "Gate decisions",
      value: String(gate.decisions),
      note: `${gate.held} held, ${gate.blocked} blocked, ${gate.overridden} overridden`,
    },
    ...(platform
      ? [
          {
            name: "Signalbox itself",
            value: formatAchieved(platform.achieved),
            note: `${formatMinutes(platform.down_minutes)} without a record; objective ${formatAchieved(platform.objective)}`,
          },
        ]
      : []),
  ];
}

/** What only those who run the services see. */
export function Internal({ report, internal }: { report: Report; internal: ReportInternal }) {
  const used = internal.budgets
    .filter((one) => one.used_minutes > 0)
    .sort((a, b) => b.used_ratio - a.used_ratio);
  const entered = report.promises.flatMap((slo) => (slo.bands ?? []).slice(1).map((band) => ({ slo, band })));
  return (
    <>
      <Facts facts={facts(internal)} />
      <section className="panel stack tight">
        <h2>What spent the budgets</h2>
        {used.length > 0 ? (
          <DataTable
            label="What spent the budgets"
            rows={used}
            columns={spent}
            rowKey={(one) => `${one.slo}${one.kind}`}
          />
        ) : (
          <p className="dim">Nothing was spent.</p>
        )}
        {entered.length > 0 && (
          <ul className={classes.list} aria-label="Bands that were entered">
            {entered.map(({ slo, band }) => (
              <li key={`${slo.name}${band.time}`}>
                <When at={band.time} />: {slo.display_name} entered {bandWord[band.band].toLowerCase()} with{" "}
                {formatFigure(band.used_ratio, "ratio")} used
              </li>
            ))}
          </ul>
        )}
      </section>
      <section className="panel stack tight">
        <h2>Pages by severity</h2>
        {internal.pages.severities.length > 0 ? (
          <DataTable
            label="Pages by severity"
            rows={internal.pages.severities}
            columns={severities}
            rowKey={(one) => one.severity}
          />
        ) : (
          <p className="dim">Nobody was paged.</p>
        )}
      </section>
      <section className="panel stack tight">
        <h2>Deployments that went wrong</h2>
        {internal.deploys.list.length > 0 ? (
          <DataTable
            label="Deployments that went wrong"
            rows={internal.deploys.list}
            columns={deploys}
            rowKey={(one) => one.id ?? `${one.time}${one.service}`}
          />
        ) : (
          <p className="dim">None of {plural(internal.deploys.deploys, "deployment")} did.</p>
        )}
      </section>
      {internal.gate.list.length > 0 && (
        <section className="panel stack tight">
          <h2>What the gate stopped</h2>
          <DataTable
            label="Gate decisions"
            rows={internal.gate.list}
            columns={decisions}
            rowKey={(one) => one.id}
          />
          {internal.gate.left_out > 0 && (
            <p className="dim small">
              {plural(internal.gate.left_out, "further one")} are counted and not listed.
            </p>
          )}
        </section>
      )}
      <section className="panel stack tight">
        <h2>Not measured</h2>
        <ul className={classes.list}>
          {internal.not_measured.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      </section>
    </>
  );
}
