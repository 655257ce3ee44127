import { ApiError } from "~/api/client";
import { ErrorNote } from "~/components/ErrorNote";
import classes from "./FilterError.module.css";

interface Props {
  what: string;
  query: string;
  error: Error;
  onRetry: () => void;
}

/** A filter that cannot be read, with a caret under the place and the hint. */
export function FilterError({ what, query, error, onRetry }: Props) {
  const details = error instanceof ApiError && error.code === "bad_filter" ? error.details : undefined;
  if (!details) return <ErrorNote what={what} error={error} onRetry={onRetry} />;
  const column = characterAt(query, details.position ?? 0);
  return (
    <div role="alert" className={classes.note}>
      <pre className={classes.code} tabIndex={0}>
        {query}
        {"\n"}
        {" ".repeat(column)}^
      </pre>
      <p>
        {error.message} {details.hint}
      </p>
    </div>
  );
}

/** The server counts bytes, the page characters. */
function characterAt(query: string, byte: number): number {
  return new TextDecoder().decode(new TextEncoder().encode(query).slice(0, byte)).length;
}
