import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { reportQuery, reportUrl } from "~/api/reports";
import type { Report } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { DownloadLink } from "~/components/DownloadLink";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { PartialNote } from "~/components/PartialNote";
import type { Tone } from "~/components/StateMark";
import { plural } from "~/format/number";
import { Breaches, Corrected, Trend } from "./Breaches";
import { Internal } from "./Internal";
import { Kept } from "./Kept";
import { type PeriodSearch, toRequest } from "./period";
import classes from "./Report.module.css";
import { ReportForm } from "./ReportForm";

function toneOf({ counts }: Report): Tone {
  if (counts.missed > 0) return "danger";
  if (counts.at_risk > 0) return "caution";
  return counts.unknown > 0 ? "unknown" : "ok";
}

function periodText({ period, as_of: asOf }: Report): string {
  const day = (text: string) => text.slice(0, 16).replace("T", " ");
  const whole = period.complete ? "complete" : `not over; as of ${day(asOf)} UTC`;
  return `${day(period.start)} to ${day(period.end)}, ${period.time_zone}; ${whole}.`;
}

function linkOf(asOf: string): string {
  const url = new URL(window.location.href);
  url.searchParams.set("as_of", asOf);
  return url.href;
}

/** What was promised, and was it kept? */
export function ReportPage() {
  const search = useSearch({ strict: false }) as PeriodSearch;
  const navigate = useNavigate();
  const request = toRequest(search);
  const query = useQuery({ ...reportQuery(request ?? {}), enabled: request !== undefined });
  const report = request ? query.data : undefined;
  const failed = request && query.error;
  return (
    <>
      <PageHead
        title={report?.title ?? "Report"}
        answer={
          report
            ? report.summary
            : failed
              ? "This report cannot be made."
              : request
                ? "Reading the report"
                : "From which day to which?"
        }
        tone={report ? toneOf(report) : undefined}
        actions={
          request && (
            <>
              <DownloadLink button href={reportUrl(request, "md")} name="report.md">
                Markdown
              </DownloadLink>
              <DownloadLink button href={reportUrl(request, "csv")} name="report.csv">
                CSV
              </DownloadLink>
              <Button variant="default" onClick={() => window.print()}>
                Print
              </Button>
              <CopyMenu
                items={[
                  ...(report
                    ? [{ label: "Copy link to exactly these figures", text: () => linkOf(report.as_of) }]
                    : []),
                  { label: "Copy as curl", text: () => asCurl(reportUrl(request, "json", false)) },
                ]}
              />
            </>
          )
        }
      >
        {report ? periodText(report) : "Every SLO, judged over the whole period."}
        <span data-screen>
          {" "}
          <Link to="/">SLOs now</Link>
        </span>
      </PageHead>
      <ReportForm
        search={search}
        onChange={(change) => void navigate({ to: ".", search: (old) => ({ ...old, ...change }) })}
      />
      {request ? (
        <Answer query={query} what="the report" height={420}>
          {(data) => <Body report={data} />}
        </Answer>
      ) : (
        <EmptyNote title="Pick both days.">The last day counts whole.</EmptyNote>
      )}
    </>
  );
}

function Body({ report }: { report: Report }) {
  if (report.promises.length === 0)
    return (
      <EmptyNote title="No SLO belongs into this report." command="signalbox slo report --period last-28d">
        SLOs with the label audience: internal are in the internal report only.
      </EmptyNote>
    );
  const thin = report.promises.filter((one) => one.verdict === "unknown");
  const partial =
    thin.length > 0 && thin.length < report.promises.length
      ? [
          `${plural(thin.length, "SLO")} had too little data to be judged: ${thin.map((one) => one.display_name).join(", ")}.`,
        ]
      : [];
  return (
    <div className="stack">
      <PartialNote messages={partial} />
      <section className="panel stack tight">
        <h2>SLOs</h2>
        <Kept report={report} />
      </section>
      <section className="panel stack tight">
        <h2>Breaches and downtime</h2>
        <Breaches report={report} />
      </section>
      <section className="panel stack tight">
        <h2>Corrections</h2>
        <Corrected report={report} />
      </section>
      <Trend report={report} />
      {report.internal && <Internal report={report} internal={report.internal} />}
      <section className="panel stack tight">
        <h2>How to read this</h2>
        <ul className={classes.list}>
          {report.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      </section>
    </div>
  );
}
