import { Skeleton } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ErrorNote } from "./ErrorNote";

interface Props<T> {
  query: Pick<UseQueryResult<T>, "data" | "error" | "isPending" | "isPlaceholderData" | "refetch">;
  /** What was asked for, for the error's sentence: "the SLOs". */
  what: string;
  /** The height of the skeleton, so that the page does not jump. */
  height?: number;
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/** Loading, error, stale and answered states of one request. Old data stays visible under an error. */
export function Answer<T>({ query, what, height = 160, skeleton, children }: Props<T>) {
  if (query.data !== undefined) {
    return (
      <div className="stack tight" style={query.isPlaceholderData ? { opacity: 0.65 } : undefined}>
        {query.error && (
          <ErrorNote what={what} error={query.error} onRetry={() => void query.refetch()} stale />
        )}
        {children(query.data)}
      </div>
    );
  }
  if (query.error) return <ErrorNote what={what} error={query.error} onRetry={() => void query.refetch()} />;
  return (
    <div role="status" aria-label={`Loading ${what}`}>
      {skeleton ?? <Skeleton height={height} radius={8} />}
    </div>
  );
}
