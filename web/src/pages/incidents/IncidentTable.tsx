import { Link } from "@tanstack/react-router";
import type { Incident } from "~/api/types";
import { type Column, DataTable } from "~/components/DataTable";
import { Shown } from "~/components/Shown";
import { StateMark } from "~/components/StateMark";
import { When } from "~/components/When";
import { feltFor, incidentTone, statusWord } from "./incidents";
import { useNow } from "./useNow";

function columns(now: number): Column<Incident>[] {
  return [
    {
      key: "title",
      head: "Incident",
      full: true,
      cell: (one) => (
        <Link to="/incidents/$id" params={{ id: one.id }} data-row>
          <Shown text={one.title} />
        </Link>
      ),
    },
    {
      key: "status",
      head: "State",
      cell: (one) => (
        <StateMark
          tone={incidentTone(one)}
          word={`${one.severity}, ${statusWord[one.status].toLowerCase()}`}
        />
      ),
    },
    { key: "started", head: "Since", cell: (one) => <When at={one.times.started} /> },
    { key: "for", head: "Felt for", cell: (one) => <span className="nowrap">{feltFor(one, now)}</span> },
    {
      key: "who",
      head: "Led by",
      cell: (one) => one.roles.commander || <span className="dim">nobody</span>,
    },
    {
      key: "services",
      head: "Services",
      cell: (one) => one.services.join(", ") || <span className="dim">none named</span>,
    },
    { key: "pages", head: "Pages", numeric: true, cell: (one) => one.pages.count },
  ];
}

/** Incidents, a row each. */
export function IncidentTable({ label, rows }: { label: string; rows: readonly Incident[] }) {
  const now = useNow();
  return <DataTable label={label} rows={rows} columns={columns(now)} rowKey={(one) => one.id} />;
}
