import type { UseQueryResult } from "@tanstack/react-query";
import type { Page, PageList } from "~/api/types";
import { Answer } from "~/components/Answer";
import { EmptyNote } from "~/components/EmptyNote";
import { PageCard } from "./PageCard";
import { isUrgent } from "./severity";

/** Pages that wait for somebody, then acknowledged ones, then warnings, then what is over. */
function order(page: Page): number {
  if (page.status !== "firing") return 3;
  if (!isUrgent(page.severity)) return 2;
  return page.acked_by ? 1 : 0;
}

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
        const sorted = [...pages].sort((a, b) => order(a) - order(b));
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
