import type { UseQueryResult } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { IncidentOverdue, IncidentOverdueList } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { When } from "~/components/When";

const steps: Record<string, string> = {
  summary: "Its summary",
  postmortem: "Its postmortem",
  review: "Its review",
};

const columns: Column<IncidentOverdue>[] = [
  { key: "what", head: "What", full: true, cell: (one) => steps[one.what] ?? one.what },
  {
    key: "incident",
    head: "Of",
    full: true,
    cell: (one) => (
      <Link
        to="/incidents/$id"
        params={{ id: one.incident }}
        search={{ tab: steps[one.what] ? "postmortem" : "actions" }}
      >
        {one.title}
      </Link>
    ),
  },
  { key: "owner", head: "Whose", cell: (one) => one.owner || <span className="dim">nobody's</span> },
  { key: "due", head: "Was due", cell: (one) => <When at={one.due} ago /> },
];

/** What should have been written or done by now. */
export function Overdue({ query }: { query: UseQueryResult<IncidentOverdueList> }) {
  return (
    <Answer query={query} what="what is overdue" height={64}>
      {({ overdue }) =>
        overdue.length === 0 ? (
          <p className="dim">Nothing is overdue: no summary, postmortem, review or action item.</p>
        ) : (
          <>
            <DataTable
              label="Overdue"
              rows={overdue.slice(0, 20)}
              columns={columns}
              rowKey={(one) => one.incident + one.what + one.due}
            />
            {overdue.length > 20 && <p className="dim">{overdue.length - 20} more, less overdue.</p>}
          </>
        )
      }
    </Answer>
  );
}
