import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { ApiError } from "~/api/client";
import { tenantAsked, tenantNames } from "~/api/tenant";
import classes from "./Note.module.css";
import { StateMark } from "./StateMark";

interface Props {
  /** What was asked for: "the SLOs". */
  what: string;
  error: Error;
  onRetry?: () => void;
  /** Older data is shown below. */
  stale?: boolean;
}

/** What did not work, why, and the next step. */
export function ErrorNote({ what, error, onRetry, stale }: Props) {
  const api = error instanceof ApiError ? error : undefined;
  const cure = cureFor(api);
  // Asked of several tenants together, where it is of one.
  const ofOne = api?.status === 400 && tenantNames(tenantAsked()).length > 1;
  const tone = ofOne || api?.status === 401 || api?.status === 403 ? "caution" : "danger";
  return (
    <div className={classes.note} data-tone={tone} role="alert">
      <StateMark tone={tone} word={ofOne ? `Choose one tenant to see ${what}.` : headOf(api, what)} />
      <p className={classes.text}>
        {error.message}
        {api?.details?.hint ? ` ${api.details.hint}` : ""}
      </p>
      {(cure || stale) && (
        <p className={classes.dim}>
          {[stale ? "The figures below are from the last answer." : "", cure].join(" ").trim()}
        </p>
      )}
      {api?.status === 403 && (
        <Link to="/me" className="small">
          What you may, and why
        </Link>
      )}
      {onRetry && !ofOne && (
        <div>
          <Button variant="default" onClick={onRetry}>
            Try again
          </Button>
        </div>
      )}
    </div>
  );
}

function headOf(error: ApiError | undefined, what: string): string {
  if (error?.status === 401) return `Log in to see ${what}.`;
  if (error?.status === 403) return `You may not do this: ${what}.`;
  return `Could not load ${what}.`;
}

function cureFor(error: ApiError | undefined): string {
  switch (error?.code) {
    case "unreachable":
      return "Check that signalbox runs and that this address reaches it.";
    case "overloaded":
      return "The server is busy; it asks again for fewer requests. Narrow the time range or wait.";
    case "timeout":
      return "Narrow the time range or the query.";
    case "not_found":
      return "It may be older than the retention, or the link is not complete.";
    default:
      return "";
  }
}
