import { useQuery } from "@tanstack/react-query";
import { escalationPoliciesQuery, notServed } from "~/api/escalations";
import { coverageQuery } from "~/api/oncall";
import type { EscalationLevel, EscalationPolicy, LevelCoverage } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { formatWindow } from "~/format/duration";
import classes from "./OnCall.module.css";
import { days } from "./oncall";
import { afterText, forText, pagesText, repeatText, targetsText } from "./policies";

const example =
  "# oncall/edge.yml\nescalation_policies:\n  - name: edge\n    default: true\n    steps:\n      - {notify: [{schedule: edge}]}\n      - {after: 15m, notify: [{person: kim}]}";

/** Whom pages go to, step by step, and whether that reaches somebody. */
export function Policies() {
  const query = useQuery(escalationPoliciesQuery);
  const coverage = useQuery(coverageQuery(days));
  if (notServed(query.error)) return null;
  const levels = coverage.data?.levels ?? [];
  return (
    <>
      <section className="panel stack tight">
        <h2>Escalation policies</h2>
        <Answer query={query} what="the escalation policies" height={160}>
          {({ policies }) =>
            policies.length > 0 ? (
              policies.map((one) => <Policy key={one.name} policy={one} />)
            ) : (
              <EmptyNote title="There is no escalation policy." command={example}>
                Pages go to the receivers of alertmanager.yml alone. A policy says whom they go to, step by
                step, until somebody acknowledges.
              </EmptyNote>
            )
          }
        </Answer>
      </section>
      {query.data && query.data.policies.length > 0 && (
        <section className="panel stack tight">
          <h2>Levels</h2>
          <DataTable
            label="Levels"
            rows={query.data.levels}
            columns={levelColumns}
            rowKey={(one) => one.name}
          />
        </section>
      )}
      {levels.length > 0 && (
        <section className="panel stack tight">
          <h2>Does each level reach somebody?</h2>
          <p className="small dim">By a verified contact, in every moment of the next {days} days.</p>
          <DataTable
            label="Whom each level reaches"
            rows={levels}
            columns={coverageColumns}
            rowKey={(one) => `${one.policy} ${one.level}`}
          />
        </section>
      )}
    </>
  );
}

function Policy({ policy }: { policy: EscalationPolicy }) {
  return (
    <article className={classes.policy} aria-label={`Policy ${policy.name}`}>
      <h3>{policy.name}</h3>
      <p className="small dim">
        {policy.text && `${policy.text} `}
        {forText(policy)}
      </p>
      <ol className={classes.steps}>
        {policy.steps.map((step, at) => (
          <li key={at}>
            {afterText(step.after)} → <strong>{targetsText(step.notify)}</strong>
            {step.levels && step.levels.length > 0 && (
              <span className="dim">, of {step.levels.join(", ")} only</span>
            )}
          </li>
        ))}
      </ol>
      <p className="small">
        {repeatText(policy)}
        {policy.unresolved &&
          ` Who has it for ${formatWindow(policy.unresolved)} without an end: the next step is told.`}
        {policy.notices && policy.notices.length > 0 && ` Notices go to ${targetsText(policy.notices)}.`}
      </p>
    </article>
  );
}

const levelColumns: Column<EscalationLevel>[] = [
  { key: "name", head: "Level", cell: (one) => <strong>{one.name}</strong> },
  { key: "notice", head: "Notices", cell: (one) => (one.notice ? "at once" : "none") },
  { key: "pages", head: "Pages", cell: pagesText },
  {
    key: "severities",
    head: "Severities",
    cell: (one) =>
      [...(one.severities ?? []), one.unknown ? "what no label classifies" : ""].filter(Boolean).join(", ") ||
      "–",
  },
  {
    key: "classes",
    head: "At most, for classes",
    cell: (one) => one.classes?.join(", ") || "–",
  },
];

const coverageColumns: Column<LevelCoverage>[] = [
  { key: "policy", head: "Policy", cell: (one) => one.policy },
  { key: "level", head: "Level", cell: (one) => <strong>{one.level}</strong> },
  { key: "reaches", head: "Reaches somebody", cell: (one) => <Reaches coverage={one} /> },
  { key: "missing", head: "Missing", full: true, cell: (one) => one.missing.join("; ") || "–" },
];

function Reaches({ coverage: { gaps } }: { coverage: LevelCoverage }) {
  const [first] = gaps;
  if (!first) return <StateMark tone="ok" word="always" />;
  return (
    <>
      <StateMark tone="danger" word="not always" />: nobody from <When at={first.start} /> to{" "}
      <When at={first.end} />
      {gaps.length > 1 && `, and ${gaps.length - 1} more`}
    </>
  );
}
