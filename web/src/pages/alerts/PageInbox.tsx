import type { UseQueryResult } from "@tanstack/react-query";
import type { PageList } from "~/api/types";
import { Answer } from "~/components/Answer";
import { EmptyNote } from "~/components/EmptyNote";
import { PageCard } from "./PageCard";

/** Every page that was sent, those that wait first. */
export function PageInbox({ query, open }: { query: UseQueryResult<PageList>; open: string | undefined }) {
  return (
    <Answer query={query} what="the pages" height={240}>
      {({ pages }) => {
        if (pages.length === 0) {
          return (
            <EmptyNote title="Nobody was paged.">
              Pages land here when no alertmanager.yml routes them elsewhere, and their deliveries are listed
              in either case.
            </EmptyNote>
          );
        }
        const waits = (status: string, acked?: string) => (status === "firing" ? (acked ? 1 : 0) : 2);
        const sorted = [...pages].sort((a, b) => waits(a.status, a.acked_by) - waits(b.status, b.acked_by));
        return (
          <div className="stack tight">
            {sorted.map((page, at) => (
              <PageCard
                key={page.id}
                page={page}
                open={page.id === open || (at === 0 && !open && page.status === "firing" && !page.acked_by)}
              />
            ))}
          </div>
        );
      }}
    </Answer>
  );
}
