import { Button } from "@mantine/core";
import { formatWindow } from "~/format/duration";
import { plural } from "~/format/number";
import { formatSpan } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import { type Draft, fileName, kinds, kindWord, type Sets } from "./documents";
import { resolveSpan, type SpanSearch } from "./span";

/** A side in words: what it has, and what of it differs from what is in force. */
export function sideWords(drafts: readonly Draft[], inForce: readonly Draft[], empty: string): string {
  if (drafts.length === 0) return empty;
  const original = new Map(inForce.map((draft) => [draft.name, draft.text]));
  const changed = drafts.filter((draft) => original.get(draft.name) !== draft.text);
  const gone = kinds.flatMap((kind) => {
    const own = drafts.filter((draft) => draft.kind === kind);
    if (own.length === 0) return [];
    const left = inForce.filter(
      (draft) => draft.kind === kind && !own.some((one) => one.name === draft.name),
    );
    return left.length > 0 ? [`${plural(left.length, "file")} of ${kindWord[kind]} left out`] : [];
  });
  if (changed.length === 0 && gone.length === 0) return `a copy of what is in force`;
  const names = changed.map((draft) => fileName(draft.name));
  const what =
    names.length === 0
      ? "what is in force"
      : `${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""} changed or added`;
  return [what, ...gone].join(", ");
}

interface Props {
  sets: Sets;
  inForce: readonly Draft[];
  span: SpanSearch;
  step: string;
  onChange: () => void;
}

/** What was replayed, in a line. */
export function Told({ sets, inForce, span, step, onChange }: Props) {
  const { zone, now } = useTimeRange();
  const { from, to } = resolveSpan(span, now);
  return (
    <section className="panel row between" aria-label="What is replayed">
      <span>
        <strong>A</strong> {sideWords(sets.a, inForce, "what is in force")}
        {sets.b.length > 0 && (
          <>
            ; <strong>B</strong> {sideWords(sets.b, inForce, "")}
          </>
        )}
        . {formatSpan(from, to, zone)}, judged every {formatWindow(step)}.
      </span>
      <Button variant="default" onClick={onChange}>
        Change what is replayed
      </Button>
    </section>
  );
}
