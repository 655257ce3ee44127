import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { runbooksQuery } from "~/api/handbook";
import type { Runbook } from "~/api/types";
import { Answer } from "~/components/Answer";
import { type Column, DataTable } from "~/components/DataTable";
import { EmptyNote } from "~/components/EmptyNote";
import { PageHead } from "~/components/PageHead";
import { StateMark } from "~/components/StateMark";

const columns: Column<Runbook>[] = [
  {
    key: "title",
    head: "Runbook",
    full: true,
    cell: (book) => (
      <Link to="/runbooks/$name" params={{ name: book.name }} data-row>
        {book.title}
      </Link>
    ),
  },
  { key: "severity", head: "Severity", cell: (book) => book.severity },
  { key: "alerts", head: "Alerts", cell: (book) => book.alerts?.join(", ") || "–" },
  { key: "services", head: "Services", cell: (book) => book.services?.join(", ") || "–" },
  {
    key: "due",
    head: "Review due",
    cell: (book) =>
      book.overdue ? <StateMark tone="caution" word={`overdue since ${book.due}`} /> : book.due,
  },
];

/** What is to be done about which alert? */
export function RunbooksPage() {
  const query = useQuery(runbooksQuery(""));
  return (
    <>
      <PageHead
        title="Runbooks"
        answer={query.data?.summary ?? (query.error ? "The runbooks are not known." : "Reading the runbooks")}
      >
        <Link to="/catalog">Services and whose they are</Link>
      </PageHead>
      <Answer query={query} what="the runbooks" height={240}>
        {({ runbooks }) =>
          runbooks.length > 0 ? (
            <section className="panel">
              <DataTable label="Runbooks" rows={runbooks} columns={columns} rowKey={(book) => book.name} />
            </section>
          ) : (
            <EmptyNote
              title="There is no runbook yet."
              command={"# signalbox.yml\nrunbook_files: [runbooks/*.md]"}
            >
              A runbook says what to do about an alert, with queries that run where they stand.
            </EmptyNote>
          )
        }
      </Answer>
    </>
  );
}
