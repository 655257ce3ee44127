import { CopyButton } from "~/components/CopyButton";
import note from "~/components/Note.module.css";
import { StateMark } from "~/components/StateMark";

/** A secret that is shown this once. */
export function Once({ says, text }: { says: string; text: string }) {
  return (
    <div className={note.note} data-tone="caution" role="status">
      <StateMark tone="caution" word={says} />
      <div className={note.command}>
        <pre tabIndex={0} style={{ overflowWrap: "anywhere" }}>
          {text}
        </pre>
        <CopyButton text={text} label="Copy" />
      </div>
    </div>
  );
}
