import { Button, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { serviceDecisionsQuery, useOverride } from "~/api/budgets";
import type { GateDecision, GateOverride } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import { StateMark } from "~/components/StateMark";
import { isUncompared, suspicion } from "~/components/TamperedMark";
import { useWho } from "~/components/useWho";
import { When } from "~/components/When";
import { WhoField } from "~/components/WhoField";

/** Break glass: lets what was stopped pass for a while, with a name and a reason; and who did so before. */
export function OverridePanel({ decision }: { decision: GateDecision }) {
  const history = useQuery(serviceDecisionsQuery(decision.request.service));
  const others = (history.data?.decisions ?? []).filter((one) => one.override && one.id !== decision.id);
  const stopped = decision.verdict !== "allow";
  if (!stopped && !decision.override && others.length === 0) return null;
  return (
    <section className="panel stack tight" aria-label="Override">
      <h2>Override</h2>
      {decision.override ? (
        <OverrideLine override={decision.override} />
      ) : (
        stopped && <OverrideForm id={decision.id} />
      )}
      {others.length > 0 && (
        <>
          <h3>Earlier overrides of {decision.request.service}</h3>
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {others.map((one) => (
              <li key={one.id}>
                <Link to="/gate/$id" params={{ id: one.id }}>
                  {one.request.version || "a deployment"}
                </Link>{" "}
                at <When at={one.override?.time ?? one.time} /> by {one.override?.actor}:{" "}
                {one.override?.reason}
                {one.override?.tampered && (
                  <>
                    {" "}
                    <StateMark {...suspicion(one.override.tampered)} />
                  </>
                )}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function OverrideLine({ override }: { override: GateOverride }) {
  const over = Date.parse(override.expires) <= Date.now();
  return (
    <div className="row">
      <StateMark tone="caution" word={over ? "Was overridden" : "Overridden"} />
      <span>
        by {override.actor} at <When at={override.time} ago />: {override.reason}. {over ? "Ended" : "Ends"}{" "}
        at <When at={override.expires} />.
        {override.tampered && (
          <>
            {" "}
            <StateMark {...suspicion(override.tampered)} />{" "}
            {isUncompared(override.tampered)
              ? `Whether it is what was written is not known: ${override.tampered}.`
              : `It lets nothing pass: ${override.tampered}.`}
          </>
        )}
      </span>
    </div>
  );
}

function OverrideForm({ id }: { id: string }) {
  const who = useWho();
  const [reason, setReason] = useState("");
  const override = useOverride(id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    override.mutate({ actor: who.name.trim(), reason: reason.trim() });
  };
  return (
    <form onSubmit={submit} className="stack tight" aria-label="Break glass">
      <p>
        For an emergency: the same version may pass for a while. Your name and reason are audited and shown to
        everyone.
      </p>
      <div className="row" style={{ alignItems: "flex-end" }}>
        <WhoField who={who} style={{ flex: "1 1 160px" }} />
        <Textarea
          label="Reason"
          description="what will be better for it"
          required
          rows={2}
          value={reason}
          style={{ flex: "4 1 280px" }}
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={override.isPending}>
          Break glass
        </Button>
      </div>
      {override.error && <ErrorNote what="the override" error={override.error} />}
    </form>
  );
}
