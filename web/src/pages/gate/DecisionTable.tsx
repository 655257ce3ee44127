import { Link } from "@tanstack/react-router";
import type { GateDecision } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { StateMark } from "~/components/StateMark";
import { suspicion } from "~/components/TamperedMark";
import { When } from "~/components/When";
import { shown } from "./verdict";

const columns: Column<GateDecision>[] = [
  {
    key: "what",
    head: "Asked for",
    full: true,
    cell: (decision) => (
      <Link to="/gate/$id" params={{ id: decision.id }} data-row>
        {decision.request.service} {decision.request.version}
      </Link>
    ),
  },
  {
    key: "verdict",
    head: "Verdict",
    cell: (decision) => (
      <>
        <StateMark tone={shown(decision).tone} word={shown(decision).word} />
        {decision.override?.tampered && <OverrideMark text={decision.override.tampered} />}
        {decision.override && <div className="dim small">overridden by {decision.override.actor}</div>}
      </>
    ),
  },
  {
    key: "where",
    head: "Environment",
    cell: (decision) => decision.request.environment || <span className="dim">not given</span>,
  },
  { key: "why", head: "Why", full: true, cell: (decision) => shown(decision).summary },
  { key: "when", head: "When", cell: (decision) => <When at={decision.time} ago /> },
  {
    key: "who",
    head: "Asked by",
    cell: (decision) => decision.request.actor || <span className="dim">not given</span>,
  },
];

function OverrideMark({ text }: { text: string }) {
  const { tone, word } = suspicion(text);
  return <StateMark tone={tone} word={`Override ${word.toLowerCase()}`} />;
}

export function DecisionTable({ decisions }: { decisions: readonly GateDecision[] }) {
  return (
    <DataTable label="Gate decisions" rows={decisions} columns={columns} rowKey={(decision) => decision.id} />
  );
}
