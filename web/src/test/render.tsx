import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import {
  createMemoryHistory,
  createRootRoute,
  createRoute,
  createRouter,
  Outlet,
  RouterProvider,
} from "@tanstack/react-router";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { parseSearch, stringifySearch } from "~/shell/search";
import { theme } from "~/styles/theme";
import { TimeRangeProvider } from "~/time/TimeRangeProvider";

interface Options {
  /** The address the page believes to be at. */
  url?: string;
  /** The route pattern under which the element stands. */
  path?: string;
}

/** Renders an element with everything around it that the application gives. */
export async function renderPage(element: ReactNode, { url = "/", path = "/" }: Options = {}) {
  const root = createRootRoute({
    component: () => (
      <TimeRangeProvider>
        <Outlet />
      </TimeRangeProvider>
    ),
  });
  const here = createRoute({ getParentRoute: () => root, path, component: () => <main>{element}</main> });
  const elsewhere = createRoute({ getParentRoute: () => root, path: "$", component: () => <p>elsewhere</p> });
  const history = createMemoryHistory({ initialEntries: [url] });
  const router = createRouter({
    routeTree: root.addChildren(path === "/$" ? [here] : [here, elsewhere]),
    history,
    parseSearch: (text) => parseSearch(text) as Record<string, unknown>,
    stringifySearch,
  });
  const client = new QueryClient({ defaultOptions: { queries: { retry: false, refetchInterval: false } } });
  await router.load();
  const view = render(
    <MantineProvider theme={theme} env="test">
      <QueryClientProvider client={client}>
        {/* biome-ignore lint/suspicious/noExplicitAny: this router's routes are not the application's. */}
        <RouterProvider router={router as any} />
      </QueryClientProvider>
    </MantineProvider>,
  );
  return { ...view, router, client };
}

export interface Call {
  path: string;
  params: URLSearchParams;
  method: string;
  body: string;
}

type Reply = unknown | ((call: Call) => unknown);

/** Answers fetch by path; an unknown path is a 404 as the server gives it. */
export function stubApi(replies: Record<string, Reply>): Call[] {
  const calls: Call[] = [];
  const fake = async (input: RequestInfo | URL, init?: RequestInit) => {
    const url = new URL(String(input), "http://localhost");
    const body = String(init?.body ?? "");
    const call: Call = { path: url.pathname, params: url.searchParams, method: init?.method ?? "GET", body };
    calls.push(call);
    const reply = replies[url.pathname];
    if (reply === undefined) {
      return new Response(
        JSON.stringify({ error: { code: "not_found", message: `nothing at ${url.pathname}` } }),
        { status: 404 },
      );
    }
    const answer = typeof reply === "function" ? (reply as (call: Call) => unknown)(call) : reply;
    if (answer instanceof Response) return answer.clone();
    return new Response(JSON.stringify(answer), { status: 200 });
  };
  globalThis.fetch = fake as typeof fetch;
  return calls;
}

export function apiError(status: number, code: string, message: string, details?: unknown): Response {
  return new Response(JSON.stringify({ error: { code, message, details } }), { status });
}
