import { StateMark } from "./StateMark";

/** Says that something kept for proof is not what was written; nothing where it is. */
export function TamperedMark({ what, text }: { what: string; text?: string }) {
  if (!text) return null;
  return (
    <span className="small" role="alert" style={{ overflowWrap: "anywhere" }}>
      <StateMark tone="danger" word="Tampered with" /> {what}: {text}.
    </span>
  );
}
