import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { apiError, stubApi } from "~/test/render";
import { whenLoggedOut } from "./client";
import { follow } from "./stream";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const sse = (text: string) => new Response(text, { status: 200 });

/** Follows, and notes what is told. */
function told() {
  const out: string[] = [];
  const stop = follow("/sb/v1/logs/tail", {
    open: () => out.push("open"),
    broken: (error, again) => out.push(`${again ? "again" : "over"}: ${error.message}`),
    event: (name, data) => out.push(`${name} ${data}`),
  });
  return { out, stop };
}

it("tells of each event, and begins again when the stream ends, until it is stopped", async () => {
  const calls = stubApi({
    "/sb/v1/logs/tail": () => sse(': tail\n\nevent: log\ndata: {"a":1}\n\nevent: log\ndata: half'),
  });
  const { out, stop } = told();
  await vi.advanceTimersByTimeAsync(0);
  expect(out).toEqual(["open", 'log {"a":1}', "again: The connection ended."]);
  await vi.advanceTimersByTimeAsync(3000);
  expect(calls).toHaveLength(2);
  stop();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(calls).toHaveLength(2);
});

it("is over where asking again cannot help, and says why", async () => {
  const calls = stubApi({
    "/sb/v1/logs/tail": apiError(404, "not_found", "tenant nobody is not here"),
  });
  const { out } = told();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(out).toEqual(["over: tenant nobody is not here"]);
  expect(calls).toHaveLength(1);
});

it("leads to the login once the session is over", async () => {
  const login = vi.fn();
  whenLoggedOut(login);
  stubApi({ "/sb/v1/logs/tail": apiError(401, "unauthenticated", "Nobody is logged in.") });
  told();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(login).toHaveBeenCalledTimes(1);
  whenLoggedOut(() => {});
});

it("says what the server said before it ended the stream, and tries again", async () => {
  const error = '{"error":{"code":"internal","message":"the store is closed"}}';
  stubApi({ "/sb/v1/logs/tail": () => sse(`event: error\ndata: ${error}\n\n`) });
  const { out, stop } = told();
  await vi.advanceTimersByTimeAsync(0);
  expect(out).toEqual(["open", "again: the store is closed"]);
  stop();
});
