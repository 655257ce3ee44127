import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { runbooksQuery } from "~/api/handbook";

/** What to do about an alert: its runbooks, if there are any. */
export function RunbookLinks({ alert }: { alert: string }) {
  const { data } = useQuery(runbooksQuery(alert));
  return (
    <>
      {data?.runbooks.map((book) => (
        <Link key={book.name} to="/runbooks/$name" params={{ name: book.name }}>
          Runbook: {book.title}
        </Link>
      ))}
    </>
  );
}
