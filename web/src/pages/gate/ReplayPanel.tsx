import { Button } from "@mantine/core";
import { useReplay } from "~/api/budgets";
import type { GateDecision, Replay } from "~/api/types";
import { ErrorNote } from "~/components/ErrorNote";
import { StateMark } from "~/components/StateMark";
import { verdictTone, verdictWord } from "./verdict";

/** The signature of a decision, and the same decision once more from what was stored with it. */
export function ReplayPanel({ decision }: { decision: GateDecision }) {
  const replay = useReplay();
  const signature = decision.envelope?.signatures[0];
  return (
    <section className="panel stack tight" aria-label="Signature and replay">
      <div className="row between">
        <h2>Is it genuine, and would it be decided so again?</h2>
        <Button
          variant="default"
          disabled={!signature}
          loading={replay.isPending}
          onClick={() => replay.mutate(decision.id)}
        >
          Verify and replay
        </Button>
      </div>
      {signature ? (
        <p className="dim" style={{ overflowWrap: "anywhere" }}>
          Signed (Ed25519) by the key <code>{signature.keyid.slice(0, 16)}</code>, with its input and the
          policies in force then.
        </p>
      ) : (
        <p className="dim">It was stored without an envelope, so it can be neither verified nor replayed.</p>
      )}
      {replay.error && <ErrorNote what="the replay" error={replay.error} />}
      {replay.data && (
        <div role="status">
          <ReplayResult replay={replay.data} />
        </div>
      )}
    </section>
  );
}

export function ReplayResult({ replay }: { replay: Replay }) {
  const valid = replay.signature === "valid";
  return (
    <div className="stack tight">
      <div className="row">
        <StateMark
          tone={valid ? "ok" : "danger"}
          word={valid ? "Signature verified" : "Signature not valid"}
        />
        {!valid && <span>{replay.signature}</span>}
      </div>
      <div className="row">
        <StateMark
          tone={replay.same ? "ok" : "danger"}
          word={replay.same ? "Same decision" : "A different decision"}
        />
        {replay.same ? (
          <span>Decided again from the stored input, every part came out alike.</span>
        ) : (
          <span className="row">
            stored
            <StateMark tone={verdictTone[replay.stored_verdict]} word={verdictWord[replay.stored_verdict]} />
            now
            <StateMark
              tone={verdictTone[replay.replayed_verdict]}
              word={verdictWord[replay.replayed_verdict]}
            />
          </span>
        )}
      </div>
      {!replay.same && <p>{replay.decision.summary}</p>}
    </div>
  );
}
