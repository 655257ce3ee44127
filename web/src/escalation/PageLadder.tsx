import { useQuery } from "@tanstack/react-query";
import { ApiError } from "~/api/client";
import { pageEscalationQuery } from "~/api/oncall";
import type { Escalation, Page } from "~/api/types";
import { Answer } from "~/components/Answer";
import { Ladder } from "./Ladder";

interface Props {
  page: Page;
  /** What is known of it before it is asked for. */
  known?: Escalation | undefined;
}

/** Whom a page went to by its escalation policy; kept up to date while it is shown. */
export function PageLadder({ page, known }: Props) {
  const query = useQuery({
    ...pageEscalationQuery(page.id),
    ...(known?.page === page.id ? { initialData: known } : {}),
  });
  if (!query.data && query.error instanceof ApiError && query.error.status === 404) {
    return <p className="small dim">It is not known whom it went to: {query.error.message}.</p>;
  }
  return (
    <Answer query={query} what="whom the page went to" height={120}>
      {(view) => {
        if (!view.policy) {
          return (
            <p className="small">
              No policy is for this page ({view.policy_why}): only the receivers of alertmanager.yml are told.
            </p>
          );
        }
        return (
          <>
            {!view.page && (
              <p className="small dim">
                No escalation of this page is written down. This is whom it would go to now.
              </p>
            )}
            <Ladder view={view} who={page.acked_by} />
          </>
        );
      }}
    </Answer>
  );
}
