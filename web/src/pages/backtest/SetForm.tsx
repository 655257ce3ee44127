import { Button, Select, Skeleton } from "@mantine/core";
import { lazy, Suspense, useMemo } from "react";
import { ApiError } from "~/api/client";
import { ErrorNote } from "~/components/ErrorNote";
import { formatWindow } from "~/format/duration";
import { formatSpan } from "~/format/time";
import { useTimeRange } from "~/time/useTimeRange";
import classes from "./Backtest.module.css";
import { DocumentList } from "./DocumentList";
import { type Draft, fileName, kindOf, type Mistake, type Sets } from "./documents";
import { defaultSpan, fixedSpan, relativeSpan, type SpanSearch, spans, steps } from "./span";
import type { OpenDocument } from "./useSets";

// The editor is half of the page and is seen only when a document is opened.
const YamlEditor = lazy(async () => ({ default: (await import("./YamlEditor")).YamlEditor }));

interface Props {
  sets: Sets;
  inForce: readonly Draft[];
  /** Mistakes by side, from the server's last answer. */
  mistakes: Record<"a" | "b", readonly Mistake[]>;
  span: SpanSearch;
  step: string;
  open: OpenDocument | undefined;
  onOpen: (open: OpenDocument | undefined) => void;
  onSets: (sets: Sets) => void;
  onSpan: (span: SpanSearch) => void;
  onStep: (step: string) => void;
  onRun: () => void;
  starting: boolean;
  running: boolean;
  error: Error | null;
  changed: boolean;
}

const none: readonly Mistake[] = [];

/** What is replayed, over which time, and the button. */
export function SetForm(props: Props) {
  const { sets, inForce, mistakes, open, onOpen, onSets } = props;
  const at = useMemo(() => (open?.line ? { line: open.line } : undefined), [open]);
  const draft = open && sets[open.side].find((one) => one.name === open.name);
  const change = (side: "a" | "b", drafts: Draft[], opened?: string) => {
    onSets({ ...sets, [side]: drafts });
    if (opened) onOpen({ side, name: opened });
  };
  const side = (key: "a" | "b") => ({
    drafts: sets[key],
    inForce,
    bad: new Set(mistakes[key].map((mistake) => mistake.name)),
    open: open?.side === key ? open.name : undefined,
    onOpen: (name: string) =>
      onOpen(open?.side === key && open.name === name ? undefined : { side: key, name }),
    onChange: (drafts: Draft[], opened?: string) => change(key, drafts, opened),
  });
  const onlyRules = sets.b.some((one) => one.kind === "rules") && !sets.a.some((one) => one.kind === "rules");
  const rules = inForce.filter((one) => one.kind === "rules");
  return (
    <section className="panel stack" aria-label="What is replayed">
      <div className={classes.sides}>
        <div className={classes.side}>
          <h2>A: {sets.a.length === 0 ? "what is in force" : "these documents"}</h2>
          {sets.a.length === 0 && (
            <p className="dim">
              The SLOs and budget policies in force; alerts go where the routing in force sends them.
            </p>
          )}
          <DocumentList side="A" {...side("a")} />
        </div>
        <div className={classes.side}>
          <h2>B: {sets.b.length === 0 ? "nothing to compare with yet" : "what it is compared with"}</h2>
          {sets.b.length === 0 ? (
            <p className="dim">
              Copy what is in force and change it, or paste your own. What B leaves out is as in A.
            </p>
          ) : (
            onlyRules && (
              <p className="small">
                B's alert rules come on top of A, which has none.{" "}
                {rules.length > 0 && (
                  <button
                    type="button"
                    className="linkish"
                    onClick={() =>
                      change("a", [
                        ...(sets.a.length > 0 ? sets.a : inForce.filter((one) => one.kind === "slos")),
                        ...rules,
                      ])
                    }
                  >
                    Put those in force into A
                  </button>
                )}
              </p>
            )
          )}
          <DocumentList side="B" {...side("b")} />
        </div>
      </div>
      {open && draft && (
        <div className="stack tight">
          <div className="row between">
            <h3>
              {open.side.toUpperCase()}: {fileName(draft.name)}
            </h3>
            <button type="button" className="linkish small" onClick={() => onOpen(undefined)}>
              Close the document
            </button>
          </div>
          <Suspense fallback={<Skeleton height={240} radius={6} />}>
            {" "}
            <YamlEditor
              key={`${open.side}${open.name}`}
              label={`${fileName(draft.name)} of ${open.side.toUpperCase()}`}
              value={draft.text}
              at={at}
              mistakes={mistakes[open.side].filter((mistake) => mistake.name === draft.name)}
              onChange={(text) =>
                change(
                  open.side,
                  sets[open.side].map((one) =>
                    one.name === draft.name ? { ...one, text, kind: kindOf(text) } : one,
                  ),
                )
              }
            />
          </Suspense>
        </div>
      )}
      <Mistakes
        mistakes={mistakes}
        onShow={(key, mistake) => onOpen({ side: key, name: mistake.name, line: mistake.line })}
      />
      <Controls {...props} />
    </section>
  );
}

function Mistakes({
  mistakes,
  onShow,
}: {
  mistakes: Props["mistakes"];
  onShow: (side: "a" | "b", mistake: Mistake) => void;
}) {
  const all = (["a", "b"] as const).flatMap((side) =>
    (mistakes[side] ?? none).map((mistake) => ({ side, mistake })),
  );
  if (all.length === 0) return null;
  return (
    <div role="alert" className="stack tight">
      <strong>{all.length === 1 ? "One line cannot be read." : `${all.length} lines cannot be read.`}</strong>
      <ul className={classes.mistakes}>
        {all.map(({ side, mistake }) => (
          <li key={`${side}${mistake.name}${mistake.line}${mistake.message}`}>
            <button type="button" className="linkish" onClick={() => onShow(side, mistake)}>
              {side.toUpperCase()}: {fileName(mistake.name)}
              {mistake.line > 0 && `, line ${mistake.line}`}
            </button>
            <span>{mistake.message}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Controls({
  sets,
  span,
  step,
  onSpan,
  onStep,
  onRun,
  starting,
  running,
  error,
  changed,
  mistakes,
}: Props) {
  const { zone, resolved, range } = useTimeRange();
  const fixed = fixedSpan(span);
  const value = fixed ? "fixed" : relativeSpan(span);
  const told = mistakes.a.length + mistakes.b.length > 0;
  const pick = (next: string | null) => {
    if (next === "shown")
      onSpan({ start: new Date(resolved.from).toISOString(), end: new Date(resolved.to).toISOString() });
    else if (next && next !== "fixed")
      onSpan({ start: next === defaultSpan ? undefined : `now-${next}`, end: undefined });
  };
  const known = (spans as readonly string[]).includes(value) || fixed ? spans : [value, ...spans];
  return (
    <>
      <div className={classes.controls}>
        <Select
          label="Time to replay"
          w={240}
          allowDeselect={false}
          value={value}
          onChange={pick}
          data={[
            ...(fixed ? [{ value: "fixed", label: formatSpan(fixed.from, fixed.to, zone) }] : []),
            ...known.map((one) => ({ value: one, label: `Last ${formatWindow(one)}` })),
            ...(range.kind === "absolute" ? [{ value: "shown", label: "The range shown above" }] : []),
          ]}
        />
        <Select
          label="Judged every"
          w={120}
          allowDeselect={false}
          value={step}
          onChange={(next) => onStep(next ?? "1m")}
          data={steps.map((one) => ({ value: one, label: formatWindow(one) }))}
        />
        <Button size="sm" onClick={onRun} loading={starting} disabled={running}>
          {sets.b.length > 0 ? "Replay A and B" : "Replay A"}
        </Button>
        {changed && <span className="small dim">Changed since the replay below.</span>}
      </div>
      {error && !told && <ErrorNote what="a replay" error={cause(error)} onRetry={onRun} />}
    </>
  );
}

/** One backtest runs at a time, which is not the server being slow. */
function cause(error: Error): Error {
  if (error instanceof ApiError && error.status === 429)
    return new ApiError(
      "Another backtest is running; one runs at a time. Wait for it and try again.",
      429,
      "busy",
    );
  return error;
}
