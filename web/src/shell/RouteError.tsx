import { useRouter } from "@tanstack/react-router";
import { ErrorNote } from "~/components/ErrorNote";

/** A page that broke: the rest of the application goes on. */
export function RouteError({ error }: { error: unknown }) {
  const router = useRouter();
  return (
    <ErrorNote
      what="this page"
      error={error instanceof Error ? error : new Error(String(error))}
      onRetry={() => void router.invalidate()}
    />
  );
}
