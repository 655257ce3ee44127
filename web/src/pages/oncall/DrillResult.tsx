import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { drillQuery, useAckDrill } from "~/api/escalations";
import type { Escalation } from "~/api/types";
import { may, useMe } from "~/auth/me";
import { Answer } from "~/components/Answer";
import { ErrorNote } from "~/components/ErrorNote";
import { StateMark, type Tone } from "~/components/StateMark";
import { useWho } from "~/components/useWho";
import { When } from "~/components/When";
import { Steps } from "~/escalation/Steps";
import { arrived } from "~/escalation/standing";
import { plural } from "~/format/number";

/** What came of a drill's messages, in a sentence. */
export function resultOf({ steps, state }: Escalation): { tone: Tone; word: string } {
  const all = steps.flatMap((step) => step.attempts);
  const open = all.filter((one) => one.state === "planned" || one.state === "trying").length;
  const failed = all.filter((one) => one.state === "failed").length;
  const reached = all.filter(arrived).length;
  const begins = steps.every((step) => step.state !== "begun") && state === "paging";
  if (open > 0 || begins) return { tone: "unknown", word: "Messages are under way." };
  if (failed > 0) {
    return { tone: "danger", word: `${failed} of ${plural(all.length, "message")} failed.` };
  }
  if (reached === 0) return { tone: "danger", word: "Nobody was told." };
  const empty = steps.filter((step) => step.attempts.length === 0).length;
  if (empty > 0) {
    return {
      tone: "caution",
      word: `Handed over: ${plural(reached, "message")}; ${plural(empty, "step")} had nobody.`,
    };
  }
  return { tone: "ok", word: `Handed over: ${plural(reached, "message")}.` };
}

/** A drill's receipts, up to date until it is over. */
export function DrillResult({ id }: { id: string }) {
  const query = useQuery(drillQuery(id));
  return (
    <Answer query={query} what="whom the drill reached" height={80}>
      {(view) => (
        <div className="stack tight" role="region" aria-label="What came of the drill">
          <p role="status">
            <StateMark {...resultOf(view)} />
          </p>
          <Steps view={view} drill />
          <Acknowledged id={id} view={view} />
        </div>
      )}
    </Answer>
  );
}

function Acknowledged({ id, view }: { id: string; view: Escalation }) {
  const me = useMe();
  const who = useWho();
  const ack = useAckDrill();
  if (view.state === "acknowledged") return <p className="small">Somebody has acknowledged the drill.</p>;
  if (view.state !== "paging") return <p className="small dim">The drill is over.</p>;
  return (
    <div className="row small">
      <span>
        Nobody has acknowledged it yet.
        {view.next && (
          <>
            {" "}
            It ends at <When at={view.next} />.
          </>
        )}
      </span>
      {may(me, "pages.ack") && who.name.trim() && (
        <Button
          variant="default"
          size="xs"
          loading={ack.isPending}
          onClick={() => ack.mutate({ id, by: who.name.trim() })}
        >
          Acknowledge the drill
        </Button>
      )}
      {ack.error && <ErrorNote what="the acknowledgement" error={ack.error} />}
    </div>
  );
}
