import { Button, TextInput } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useRemediationChange } from "~/api/remediation";
import type { RemediationListing } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { ErrorNote } from "~/components/ErrorNote";
import type { Who } from "~/components/useWho";
import { When } from "~/components/When";
import { WhoField } from "~/components/WhoField";

/** Stops all remedies, and starts them again, once it was confirmed. */
export function Switch({ listing, who }: { listing: RemediationListing; who: Who }) {
  const me = useMe();
  const change = useRemediationChange();
  const [asking, setAsking] = useState(false);
  const [reason, setReason] = useState("");
  const { stopped } = listing;
  const able = may(me, stopped ? "remedies.start" : "remedies.run");
  const send = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { part: stopped ? "/start" : "/stop", body: { by: who.name.trim(), reason: reason.trim() } },
      {
        onSuccess: () => {
          setAsking(false);
          setReason("");
        },
      },
    );
  };
  return (
    <div className="stack tight">
      <div className="row between">
        <p role="status">
          {stopped ? (
            <>
              <strong>All remedies are stopped</strong> by {stopped.by}, <When at={stopped.at} ago />:{" "}
              {stopped.reason}
            </>
          ) : (
            listing.summary
          )}
        </p>
        {able && !asking && (
          <Button {...(stopped ? {} : { color: "red" })} variant="default" onClick={() => setAsking(true)}>
            {stopped ? "Start them again" : "Stop all remedies"}
          </Button>
        )}
      </div>
      {asking && (
        <form className="row" style={{ alignItems: "flex-end" }} onSubmit={send} aria-label="Confirm">
          <WhoField who={who} style={{ flex: "1 1 160px" }} />
          {!stopped && (
            <TextInput
              label="Why"
              required
              maxLength={1000}
              style={{ flex: "3 1 220px" }}
              value={reason}
              onChange={(event) => setReason(event.currentTarget.value)}
            />
          )}
          <Button type="submit" {...(stopped ? {} : { color: "red" })} loading={change.isPending}>
            {stopped ? "Yes, let them act" : "Yes, stop them all"}
          </Button>
          <Button variant="default" onClick={() => setAsking(false)}>
            Cancel
          </Button>
        </form>
      )}
      {change.error && <ErrorNote what="the switch" error={change.error} />}
    </div>
  );
}
