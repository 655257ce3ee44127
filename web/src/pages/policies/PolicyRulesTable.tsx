import type { NamedPolicy, PolicyRules } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { formatWindow } from "~/format/duration";
import { formatRatio } from "~/format/number";
import { type Band, bandTone, bandWord } from "~/slo/band";

interface Row {
  key: string;
  band?: Band;
  when: string;
  effect: string;
}

function rowsOf(rules: PolicyRules): Row[] {
  const rows: Row[] = [
    {
      key: "normal",
      band: "normal",
      when: `up to ${formatRatio(rules.caution_above)} used`,
      effect: "passes",
    },
    {
      key: "caution",
      band: "caution",
      when: `above ${formatRatio(rules.caution_above)} used`,
      effect: "passes, and an alert goes out",
    },
    {
      key: "critical",
      band: "critical-fixes-only",
      when: `above ${formatRatio(rules.hold_above)} used`,
      effect: "held; critical fixes pass",
    },
    {
      key: "freeze",
      band: "freeze",
      when: `from ${formatRatio(rules.freeze_at)} used`,
      effect: "blocked",
    },
  ];
  for (const [name, rule] of [
    ["fast", rules.burn_fast],
    ["slow", rules.burn_slow],
  ] as const)
    rows.push({
      key: name,
      when: `burn ${rule.factor}× over ${formatWindow(rule.long)}, and over ${formatWindow(rule.short)}`,
      effect: "blocked",
    });
  const effects = { off: "", hold: "held; critical fixes pass", block: "blocked" } as Record<string, string>;
  if (effects[rules.open_pages])
    rows.push({
      key: "pages",
      when: `a page about the service is open (${rules.page_severities.join(", ")})`,
      effect: effects[rules.open_pages] ?? "",
    });
  if (effects[rules.dependencies])
    rows.push({
      key: "dependencies",
      when: "an SLO of a service it calls burns or is spent",
      effect: effects[rules.dependencies] ?? "",
    });
  rows.push({
    key: "data",
    when: `newest data older than ${formatWindow(rules.stale_after)}, or under ${formatRatio(rules.min_coverage)} of the window has data`,
    effect: "not enough data, never allowed",
  });
  return rows;
}

function matchText({ match }: NamedPolicy): string {
  const parts = [
    match.services?.length && `services ${match.services.join(", ")}`,
    match.teams?.length && `teams ${match.teams.join(", ")}`,
    match.environments?.length && `environments ${match.environments.join(", ")}`,
    ...Object.entries(match.labels ?? {}).map(([name, value]) => `${name} ${value}`),
  ].filter(Boolean);
  return parts.length ? parts.join("; ") : "every service";
}

const columns: Column<Row>[] = [
  {
    key: "band",
    head: "Band or gate",
    cell: (row) =>
      row.band ? (
        <StateMark tone={bandTone[row.band]} word={bandWord[row.band]} />
      ) : (
        <span className="dim">gate</span>
      ),
  },
  { key: "when", head: "When", full: true, cell: (row) => row.when },
  { key: "effect", head: "A deployment is", full: true, cell: (row) => row.effect },
];

/** One policy's bands and gates in words; without a policy those of the configuration's gate section. */
export function PolicyRulesTable({ policy, rules }: { policy?: NamedPolicy; rules?: PolicyRules }) {
  const shown = policy?.rules ?? rules;
  if (!shown) return null;
  const name = policy?.name ?? "default";
  return (
    <div className="stack tight">
      <div className="row">
        <h3>{name}</h3>
        <span className="dim small">
          {policy
            ? `for ${matchText(policy)}; ${policy.file.split("/").pop()}, line ${policy.line}`
            : "the configuration's gate section, where no other policy matches"}
        </span>
      </div>
      <DataTable
        label={`Rules of ${name}`}
        rows={rowsOf(shown)}
        columns={columns}
        rowKey={(row) => row.key}
      />
    </div>
  );
}
