import { Button, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { save } from "~/api/client";
import { rulesReviewQuery } from "~/api/reports";
import type { ReviewedRule, RulesReview } from "~/api/types";
import { Answer } from "~/components/Answer";
import { CopyMenu } from "~/components/CopyMenu";
import { asCurl } from "~/components/clipboard";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { Facts } from "~/components/Facts";
import { PageHead } from "~/components/PageHead";
import { PartialNote } from "~/components/PartialNote";
import { formatDuration } from "~/format/duration";
import { formatCount, formatRatio } from "~/format/number";

const kinds: Record<string, string> = {
  for: "Wait longer",
  keep_firing_for: "Hold it open longer",
  severity: "Lower its severity",
  remove: "Remove it",
};

function editOf({ kind, from, to }: ReviewedRule["proposals"][number]): string {
  const what = kinds[kind] ?? kind;
  if (kind === "remove") return what;
  return from ? `${what}: ${kind} from ${from} to ${to}` : `${what}: ${kind} ${to}`;
}

function Told({ rule }: { rule: ReviewedRule }) {
  const rest = rule.findings.filter(
    (finding) =>
      finding.kind !== "never-fired" && !rule.proposals.some((one) => one.why.startsWith(finding.text)),
  );
  if (rest.length + rule.proposals.length === 0)
    return <span className="dim">{rule.firings.count === 0 ? "Has not fired" : "Nothing odd"}</span>;
  return (
    <div className="stack tight">
      {rule.proposals.map((one) => (
        <div key={one.kind}>
          <strong>{editOf(one)}</strong>
          <div>{one.why}.</div>
          {one.manual && <div className="dim">Not in the patch: {one.manual}.</div>}
        </div>
      ))}
      {rest.map((finding) => (
        <div key={finding.kind}>{finding.text}.</div>
      ))}
    </div>
  );
}

const columns: Column<ReviewedRule>[] = [
  {
    key: "rule",
    head: "Rule",
    full: true,
    cell: (rule) => (
      <div className="stack tight">
        <Link to="/alerts/$alert" params={{ alert: rule.alert }} data-row>
          {rule.alert}
        </Link>
        <span className="dim small">
          {rule.severity || "no severity"}, {rule.group}
        </span>
      </div>
    ),
  },
  {
    key: "fired",
    head: "Fired",
    numeric: true,
    cell: (rule) => (
      <span title={rule.firings.seconds ? `${formatDuration(rule.firings.seconds)} in all` : undefined}>
        {formatCount(rule.firings.count)}
      </span>
    ),
  },
  { key: "told", head: "Told", numeric: true, cell: (rule) => formatCount(rule.outcome.told) },
  { key: "acted", head: "Acted on", numeric: true, cell: (rule) => formatCount(rule.outcome.acted_on) },
  { key: "self", head: "By itself", numeric: true, cell: (rule) => formatCount(rule.outcome.auto_resolved) },
  { key: "quiet", head: "Reached nobody", numeric: true, cell: (rule) => formatCount(rule.outcome.quiet) },
  { key: "flapped", head: "Flapped", numeric: true, cell: (rule) => formatCount(rule.firings.flapped) },
  { key: "do", head: "What to do", full: true, cell: (rule) => <Told rule={rule} /> },
];

const spans = [
  { value: "7", label: "Week" },
  { value: "28", label: "4 weeks" },
  { value: "90", label: "90 days" },
];

/** What did each alerting rule do, and which should change? */
export function RulesReviewPage() {
  const [days, setDays] = useState("28");
  const query = useQuery(rulesReviewQuery(Number(days)));
  const review = query.data;
  return (
    <>
      <PageHead
        title="Review of alerting rules"
        answer={review?.summary ?? (query.error ? "The review cannot be made." : "Reading what rules did")}
        tone={review ? (review.covered < 0.5 ? "unknown" : review.patch ? "caution" : "ok") : undefined}
        actions={
          <>
            {review?.patch && (
              <Button
                variant="default"
                onClick={() => save(new Blob([review.patch], { type: "text/x-diff" }), "rules.patch")}
              >
                Save the patch
              </Button>
            )}
            <CopyMenu
              items={[
                ...(review?.patch ? [{ label: "Copy the patch", text: () => review.patch }] : []),
                { label: "Copy as curl", text: () => asCurl(`/sb/v1/report/rules?days=${days}`) },
              ]}
            />
          </>
        }
      >
        It changes nothing. <Link to="/alerts">Alerts and rules</Link>
      </PageHead>
      <SegmentedControl aria-label="How far back" value={days} onChange={setDays} data={spans} />
      <Answer query={query} what="the review of rules" height={400}>
        {(data) => <Body review={data} />}
      </Answer>
    </>
  );
}

function Body({ review }: { review: RulesReview }) {
  if (review.rules.length === 0)
    return (
      <EmptyNote title="No rule file holds an alerting rule." command={'rule_files: ["rules/*.yml"]'}>
        Burn alerts of SLOs come from no file and are not reviewed here.
      </EmptyNote>
    );
  const sum = (of: (rule: ReviewedRule) => number) =>
    formatCount(review.rules.reduce((all, rule) => all + of(rule), 0));
  return (
    <div className="stack">
      <PartialNote messages={review.notes} />
      <Facts
        facts={[
          { name: "Fired", value: sum((rule) => rule.firings.count) },
          { name: "Acted on", value: sum((rule) => rule.outcome.acted_on) },
          { name: "Ended by themselves", value: sum((rule) => rule.outcome.auto_resolved) },
          { name: "Known", value: formatRatio(review.covered), note: "of the time" },
        ]}
      />
      <section className="panel">
        <DataTable
          label="Alerting rules"
          rows={review.rules}
          columns={columns}
          rowKey={(rule) => `${rule.file} ${rule.group} ${rule.alert}`}
        />
      </section>
      {review.patch && (
        <section className="panel stack tight">
          <h2>The patch</h2>
          <p className="dim">
            In the folder of the configuration: <code>git apply rules.patch</code>
          </p>
          <pre tabIndex={0} style={{ overflowX: "auto" }}>
            {review.patch}
          </pre>
        </section>
      )}
    </div>
  );
}
