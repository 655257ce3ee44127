import { StateMark, type Tone } from "./StateMark";

/** What the server says first of a record that it could not compare. */
const uncompared = "it was not compared";

/** Whether nobody could look whether something kept for proof was touched, which is no sign that it was. */
export function isUncompared(text: string | undefined): boolean {
  return Boolean(text?.startsWith(uncompared));
}

/** The words under which stands what is wrong with something kept for proof. */
export function suspicion(text: string): { tone: Tone; word: string } {
  return isUncompared(text)
    ? { tone: "unknown", word: "Not compared" }
    : { tone: "danger", word: "Tampered with" };
}

/** Says that something kept for proof is not what was written, or that this is not known; nothing where it is. */
export function TamperedMark({ what, text }: { what: string; text?: string }) {
  if (!text) return null;
  const { tone, word } = suspicion(text);
  return (
    <span
      className="small"
      role={isUncompared(text) ? "status" : "alert"}
      style={{ overflowWrap: "anywhere" }}
    >
      <StateMark tone={tone} word={word} /> {what}: {text}.
    </span>
  );
}
