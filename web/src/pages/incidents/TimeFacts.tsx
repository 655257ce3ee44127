import type { ReactNode } from "react";
import type { Incident } from "~/api/types";
import { Facts } from "~/components/Facts";
import { When } from "~/components/When";
import { formatDuration } from "~/format/duration";
import { secondsBetween } from "./incidents";

function moment(at: string | undefined): ReactNode {
  return at ? <When at={at} /> : "–";
}

function after(from: string | undefined, to: string | undefined, words: string): string {
  const seconds = secondsBetween(from, to);
  return seconds === undefined ? "" : `${formatDuration(seconds)} ${words}: `;
}

/** When it did what, each with what that means. */
export function TimeFacts({ incident }: { incident: Incident }) {
  const { times, status, origin } = incident;
  const { started, detected, acknowledged, mitigated, resolved } = times;
  return (
    <Facts
      facts={[
        {
          name: "Started",
          value: moment(started),
          note: startedBy(incident),
        },
        {
          name: "Detected",
          value: moment(detected),
          note: `${after(started, detected, "after the start")}${origin.page ? "the first delivery of its first page" : "when somebody opened it"}`,
        },
        {
          name: "Acknowledged",
          value: moment(acknowledged),
          note: acknowledged
            ? `${after(detected, acknowledged, "after that")}the first acknowledgement, or the first commander`
            : "no page was acknowledged, nobody leads it",
        },
        {
          name: "Mitigated",
          value: moment(mitigated),
          note: mitigated
            ? `${after(started, mitigated, "after the start")}users do not feel it any more`
            : "users may still feel it",
        },
        {
          name: "Resolved",
          value: moment(resolved),
          note: resolved
            ? "when it was declared over"
            : status === "mitigated"
              ? "half an hour after the last page ended, unless somebody says otherwise"
              : "it is not over",
        },
      ]}
    />
  );
}

/** Where its start comes from: nobody knows when one that was opened by hand began until somebody says so. */
function startedBy({ origin, pages }: Incident): string {
  if (origin.started_said) return "as somebody set it";
  if (!origin.page && pages.count === 0) return "when it was opened: nobody said when it began";
  return "the earliest start of an alert in its pages";
}
