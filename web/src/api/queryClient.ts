import { hashKey, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";
import { tenantAsked } from "./tenant";

/** Retries only what a retry may cure, twice. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        // What one tenant answered is never shown as another's.
        queryKeyHashFn: (key) => `${tenantAsked()} ${hashKey(key)}`,
        staleTime: 2000,
        refetchOnWindowFocus: true,
        retry: (count, error) => count < 2 && (!(error instanceof ApiError) || error.transient),
        retryDelay: (attempt) => 500 * 2 ** attempt,
      },
    },
  });
}
