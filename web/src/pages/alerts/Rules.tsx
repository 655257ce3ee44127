import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { rulesQuery } from "~/api/queries";
import type { PromRule, PromRuleGroup } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { StateMark, type Tone } from "~/components/StateMark";
import { formatDuration } from "~/format/duration";

function stateOf(rule: PromRule): { tone: Tone; word: string } {
  if (rule.health === "err") return { tone: "danger", word: "Evaluation fails" };
  if (rule.type === "recording") return { tone: "ok", word: "Records" };
  if (rule.state === "firing") return { tone: "danger", word: "Firing" };
  if (rule.state === "pending") return { tone: "caution", word: "Pending" };
  if (rule.health === "unknown") return { tone: "unknown", word: "Not evaluated yet" };
  return { tone: "ok", word: "Inactive" };
}

const columns: Column<PromRule>[] = [
  {
    key: "name",
    head: "Rule",
    full: true,
    cell: (rule) => (
      <div>
        {rule.type === "alerting" ? (
          <Link to="/alerts/$alert" params={{ alert: rule.name }} data-row>
            {rule.name}
          </Link>
        ) : (
          <span>{rule.name}</span>
        )}
        {rule.lastError && <p className="small">{rule.lastError}</p>}
      </div>
    ),
  },
  { key: "state", head: "State", cell: (rule) => <StateMark {...stateOf(rule)} /> },
  {
    key: "for",
    head: "For",
    cell: (rule) => (
      <span className="nowrap">
        {rule.type === "recording" ? "–" : rule.duration ? formatDuration(rule.duration) : "at once"}
      </span>
    ),
  },
  {
    key: "query",
    head: "Query",
    full: true,
    cell: (rule) => (
      <Link to="/query" search={{ expr: [rule.query] }} title="Open in Metrics">
        <code style={{ overflowWrap: "anywhere" }}>
          {rule.query.length > 220 ? `${rule.query.slice(0, 220)}…` : rule.query}
        </code>
      </Link>
    ),
  },
];

const rank = { danger: 0, caution: 1, unknown: 2, ok: 3 } as const;

export function Rules() {
  const query = useQuery(rulesQuery);
  return (
    <Answer query={query} what="the rules" height={240}>
      {(groups: PromRuleGroup[]) =>
        groups.length === 0 ? (
          <EmptyNote
            title="No rule is loaded."
            command={'rule_files: ["rules/*.yml"]\nslo_files: ["slos/*.yaml"]'}
          >
            Name rule files in signalbox.yml and reload; SLOs bring their own burn-rate rules.
          </EmptyNote>
        ) : (
          <div className="stack">
            <p>
              <Link to="/reports/rules">Review them</Link>: what each did, and which should change.
            </p>
            {groups.map((group) => (
              <section key={`${group.file} ${group.name}`} className="panel stack tight">
                <h2>
                  {group.name} <span className="dim small">every {formatDuration(group.interval)}</span>
                </h2>
                <DataTable
                  label={`Rules of ${group.name}`}
                  rows={[...group.rules].sort((a, b) => rank[stateOf(a).tone] - rank[stateOf(b).tone])}
                  columns={columns}
                  rowKey={(rule) => `${rule.name}${rule.query}${JSON.stringify(rule.labels ?? {})}`}
                />
              </section>
            ))}
          </div>
        )
      }
    </Answer>
  );
}
