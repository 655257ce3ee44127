import { Button, Progress } from "@mantine/core";
import { useCancelBacktest } from "~/api/backtest";
import { ApiError } from "~/api/client";
import type { BacktestJob } from "~/api/types";
import { EmptyNote } from "~/components/EmptyNote";
import { ErrorNote } from "~/components/ErrorNote";
import { formatDuration } from "~/format/duration";
import classes from "./Backtest.module.css";

/** A replay on its way: how far, how long still, and the way to end it. */
export function Running({ job }: { job: BacktestJob }) {
  const cancel = useCancelBacktest(job.id);
  const percent = Math.floor(job.progress * 100);
  const rest = job.progress > 0.03 ? (job.seconds / job.progress) * (1 - job.progress) : undefined;
  return (
    <section className={`panel ${classes.progress}`} aria-label="Replay under way">
      <div className="row between">
        <span role="status">
          {percent} % replayed after {formatDuration(Math.round(job.seconds))}
          {rest !== undefined && `, about ${formatDuration(Math.max(1, Math.round(rest)))} to go`}
        </span>
        <Button
          variant="default"
          size="compact-sm"
          loading={cancel.isPending}
          onClick={() => cancel.mutate()}
        >
          Cancel
        </Button>
      </div>
      <Progress value={percent} aria-label="Replayed" />
      {cancel.error && <ErrorNote what="the cancellation" error={cancel.error} />}
    </section>
  );
}

/** A replay that gave no result. */
export function Ended({
  job,
  error,
  onRun,
}: {
  job: BacktestJob | undefined;
  error: Error | null;
  onRun: () => void;
}) {
  if (job?.state === "cancelled")
    return (
      <EmptyNote title="The replay was cancelled.">
        Nothing was kept of it. Replay again when you like.
      </EmptyNote>
    );
  if (job?.state === "failed")
    return (
      <ErrorNote
        what="the replay"
        error={new ApiError(job.error || "It failed without a reason.", 500, "failed")}
        onRetry={onRun}
      />
    );
  if (error instanceof ApiError && error.status === 404)
    return (
      <EmptyNote title="This result is no longer remembered.">
        The server keeps the last eight for half an hour. The link has the same documents and the same time,
        so a replay gives the same figures.
        <div style={{ marginTop: 8 }}>
          <Button onClick={onRun}>Replay it again</Button>
        </div>
      </EmptyNote>
    );
  return error ? <ErrorNote what="the replay" error={error} onRetry={onRun} /> : null;
}
