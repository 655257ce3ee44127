import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { runbookQuery } from "~/api/handbook";
import { Answer } from "~/components/Answer";
import { PageHead } from "~/components/PageHead";
import { Blocks } from "./Blocks";

/** What do I do now? */
export function RunbookPage() {
  const { name } = useParams({ from: "/runbooks/$name" });
  const query = useQuery(runbookQuery(name));
  const book = query.data;
  const review = book?.overdue ? `its review was due on ${book.due}` : `reviewed on ${book?.reviewed}`;
  return (
    <>
      <PageHead
        title={book?.title ?? name}
        answer={
          book
            ? `${book.severity}: ${book.title}; ${review}.`
            : query.error
              ? `The runbook ${name} cannot be shown.`
              : `Reading ${name}`
        }
      >
        <span className="row">
          <Link to="/runbooks">All runbooks</Link>
          {book?.services?.map((service) => (
            <Link key={service} to="/services/$name" params={{ name: service }}>
              {service}
            </Link>
          ))}
        </span>
      </PageHead>
      <Answer query={query} what={`the runbook ${name}`} height={400}>
        {(data) => (
          <article className="panel stack">
            <Blocks blocks={data.blocks ?? []} />
          </article>
        )}
      </Answer>
    </>
  );
}
