import { Button } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useRemediationChange } from "~/api/remediation";
import type { RemediationRun } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { ErrorNote } from "~/components/ErrorNote";
import type { Who } from "~/components/useWho";
import { WhoField } from "~/components/WhoField";

type Answer = "approve" | "refuse";

/** To have done what waits, or not, once it was confirmed. */
export function Approval({ run, who }: { run: RemediationRun; who: Who }) {
  const me = useMe();
  const change = useRemediationChange();
  const [asking, setAsking] = useState<Answer>();
  const by = who.name.trim();
  if (!may(me, "remedies.run"))
    return <p className="small dim">You may not approve it: that takes remedies.run.</p>;
  const send = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      {
        part: `/runs/${encodeURIComponent(run.id)}/${asking}`,
        body: asking === "approve" ? { by, plan: run.plan?.text } : { by },
      },
      { onSuccess: () => setAsking(undefined) },
    );
  };
  const word = run.dry_run ? "Approve (dry run)" : "Have it done";
  return (
    <div className="stack tight">
      {asking ? (
        <form className="stack tight" onSubmit={send} aria-label="Confirm">
          <p>
            <strong>
              {asking === "refuse"
                ? "It will not be done: "
                : run.dry_run
                  ? "Nothing is done in a dry run. It would be: "
                  : "This will be done: "}
            </strong>
            {run.plan?.text ?? run.reason}
          </p>
          <div className="row" style={{ alignItems: "flex-end" }}>
            <WhoField who={who} style={{ flex: "0 1 200px" }} />
            <Button type="submit" disabled={!by} loading={change.isPending}>
              {asking === "refuse" ? "Yes, refuse it" : run.dry_run ? "Yes, approve it" : "Yes, do it"}
            </Button>
            <Button variant="default" onClick={() => setAsking(undefined)}>
              Cancel
            </Button>
          </div>
        </form>
      ) : (
        <div className="row">
          <Button onClick={() => setAsking("approve")}>{word}</Button>
          <Button variant="default" onClick={() => setAsking("refuse")}>
            Refuse
          </Button>
        </div>
      )}
      {change.error && <ErrorNote what="the answer" error={change.error} />}
    </div>
  );
}
