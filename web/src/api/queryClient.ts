import { QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";

/** Retries only what a retry may cure, twice. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2000,
        refetchOnWindowFocus: true,
        retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.transient),
        retryDelay: (attempt) => 500 * 2 ** attempt,
      },
    },
  });
}
