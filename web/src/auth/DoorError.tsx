import { ApiError } from "~/api/client";
import { StateMark } from "~/components/StateMark";

/** Why one was not let in, where one looks next. */
export function DoorError({ error, unauthenticated }: { error: Error | null; unauthenticated?: string }) {
  if (!error) return null;
  const wrong = error instanceof ApiError && error.status === 401;
  return (
    <div role="alert">
      <StateMark tone="danger" word={(wrong && unauthenticated) || upper(error.message)} />
    </div>
  );
}

function upper(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
