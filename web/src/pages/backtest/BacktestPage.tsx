import { Skeleton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { backtestQuery, useStartBacktest } from "~/api/backtest";
import { ApiError } from "~/api/client";
import type { BacktestBody, BacktestJob } from "~/api/types";
import { CopyMenu } from "~/components/CopyMenu";
import { PageHead } from "~/components/PageHead";
import { type Draft, encodeSets, type Mistake, mistakesOf, type Sets, toSet } from "./documents";
import { toCsv, toCurl, toMarkdown } from "./export";
import { Ended, Running } from "./JobView";
import { answerOf } from "./outcome";
import { ResultView } from "./ResultView";
import { SetForm } from "./SetForm";
import { resolveSpan, type SpanSearch, stepFor } from "./span";
import { Told } from "./Told";
import { useSets } from "./useSets";

/** Each side's names are its own, so that a mistake is found where it is. */
const sided = (side: "a" | "b", drafts: readonly Draft[]) =>
  drafts.map((draft) => ({ ...draft, name: `${side.toUpperCase()}/${draft.name}` }));

export function bodyOf(sets: Sets, span: SpanSearch, step: string, now: number): BacktestBody {
  const { from, to } = resolveSpan(span, now);
  return {
    set: toSet(sided("a", sets.a)),
    ...(sets.b.length > 0 ? { compare: toSet(sided("b", sets.b)) } : {}),
    start: new Date(from).toISOString(),
    end: new Date(to).toISOString(),
    step,
  };
}

function sideMistakes(error: Error | null, side: "a" | "b", drafts: readonly Draft[]): Mistake[] {
  if (!(error instanceof ApiError) || error.status !== 400) return [];
  const own = sided(side, drafts);
  const lead = `${side.toUpperCase()}/`;
  return mistakesOf(error.message, own).map((one) => ({ ...one, name: one.name.slice(lead.length) }));
}

function headline(job: BacktestJob | undefined, asked: boolean, error: Error | null, waits: boolean): string {
  if (job?.state === "done" && job.result) return answerOf(job.result);
  if (job?.state === "running") return `Replaying: ${Math.floor(job.progress * 100)} % is done`;
  if (job?.state === "cancelled") return "The replay was cancelled.";
  if (job?.state === "failed") return "The replay failed.";
  if (asked && error) return "This replay cannot be shown.";
  if (asked || waits) return "Reading the replay";
  return "What would have happened under other SLOs, rules or policies?";
}

/** What would have happened? */
export function BacktestPage() {
  const search = useSearch({ strict: false });
  const navigate = useNavigate();
  const { inForce, sets, setSets, note, change, open, setOpen, wrote, waits } = useSets();
  const [edited, setEdited] = useState(false);
  const [forming, setForming] = useState(!search.job);
  const start = useStartBacktest();
  const job = useQuery(backtestQuery(search.job ?? ""));
  const asked = Boolean(search.job);
  const span = { start: search.start, end: search.end };
  const step = search.step ?? stepFor(resolveSpan(span, Date.now()));
  const result = job.data?.state === "done" ? job.data.result : undefined;
  const mistakes = useMemo(
    () => ({ a: sideMistakes(start.error, "a", sets.a), b: sideMistakes(start.error, "b", sets.b) }),
    [start.error, sets],
  );
  const run = async () => {
    const body = bodyOf(sets, span, step, Date.now());
    const docs = sets.a.length + sets.b.length > 0 ? await encodeSets(sets) : undefined;
    start.mutate(body, {
      onSuccess: ({ id }) => {
        setEdited(false);
        setForming(false);
        setOpen(undefined);
        if (docs) wrote(docs);
        void navigate({
          to: ".",
          search: (old) => ({
            ...old,
            docs,
            job: id,
            start: body.start,
            end: body.end,
            step,
            slo: undefined,
            target: undefined,
            window: undefined,
          }),
        });
      },
    });
  };
  const patch = (more: Record<string, string | undefined>) => {
    setEdited(true);
    void navigate({ to: ".", search: (old) => ({ ...old, ...more }), replace: true });
  };
  return (
    <>
      <PageHead
        title="Backtest"
        answer={headline(job.data, asked, job.error, waits)}
        actions={
          <CopyMenu
            items={[
              {
                label: "Copy as curl",
                text: () => toCurl(bodyOf(sets, span, step, Date.now()), window.location.origin),
              },
              ...(result
                ? [
                    { label: "Copy as Markdown", text: () => toMarkdown(result) },
                    { label: "Copy as CSV", text: () => toCsv(result) },
                  ]
                : []),
            ]}
          />
        }
      >
        Stored history, replayed: pages, budgets and what the gate would have said. Nothing is sent and
        nothing is changed. <Link to="/">All SLOs</Link> · <Link to="/gate/policies">Budget policies</Link>
      </PageHead>
      {note && (
        <p className="panel" role="status">
          {note}
        </p>
      )}
      {waits ? (
        <div role="status" aria-label="Loading the documents in force">
          <Skeleton height={220} radius={8} />
        </div>
      ) : forming || mistakes.a.length + mistakes.b.length > 0 ? (
        <SetForm
          sets={sets}
          inForce={inForce}
          mistakes={mistakes}
          span={span}
          step={step}
          open={open}
          onOpen={setOpen}
          onSets={(next) => {
            setEdited(true);
            setSets(next);
          }}
          onSpan={(next) => patch({ start: next.start, end: next.end, step: undefined })}
          onStep={(next) => patch({ step: next })}
          onRun={() => void run()}
          starting={start.isPending}
          running={job.data?.state === "running"}
          error={start.error}
          changed={edited && result !== undefined}
        />
      ) : (
        <Told sets={sets} inForce={inForce} span={span} step={step} onChange={() => setForming(true)} />
      )}
      {change && !asked && !waits && !note && (
        <p className="dim">
          B is what is in force with {change.slo} changed
          {change.target !== undefined && ` to ${change.target} %`}
          {change.window && ` over ${change.window}`}. Replay it to see the difference.
        </p>
      )}
      {asked && job.isPending && (
        <div role="status" aria-label="Loading the replay">
          <Skeleton height={320} radius={8} />
        </div>
      )}
      {job.data?.state === "running" && <Running job={job.data} />}
      {(job.data?.state === "cancelled" || job.data?.state === "failed" || (asked && job.error)) && (
        <Ended job={job.data} error={job.error} onRun={() => void run()} />
      )}
      {result && <ResultView key={search.job} result={result} />}
    </>
  );
}
