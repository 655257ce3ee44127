import { describe, expect, it } from "vitest";
import { apiError, stubApi } from "~/test/render";
import { type ApiError, buildUrl, get, post, prom } from "./client";

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  return promise.then(
    () => Promise.reject(new Error("did not fail")),
    (error: ApiError) => error,
  );
}

describe("the API client", () => {
  it("leaves out what is not set and repeats lists", () => {
    expect(buildUrl("/x", { a: 1, b: undefined, c: "", d: ["p", "q"] })).toBe("/x?a=1&d=p&d=q");
  });
  it("hands on Signalbox' errors with code, message and details", async () => {
    stubApi({
      "/sb/v1/logs": apiError(400, "bad_filter", "a value is missing", {
        position: 6,
        hint: "write level:error",
      }),
    });
    const error = await failure(get("/sb/v1/logs"));
    expect(error).toMatchObject({ code: "bad_filter", message: "a value is missing", status: 400 });
    expect(error.details?.position).toBe(6);
    expect(error.transient).toBe(false);
  });
  it("hands on Prometheus' errors", async () => {
    stubApi({
      "/api/v1/query": new Response('{"status":"error","errorType":"bad_data","error":"1:3: parse error"}', {
        status: 400,
      }),
    });
    expect(await failure(prom("/api/v1/query", { query: "x(" }))).toMatchObject({
      code: "bad_data",
      message: "1:3: parse error",
    });
  });
  it("hands on Alertmanager's errors, which are plain strings", async () => {
    stubApi({ "/api/v2/silences": new Response('"bad matcher"', { status: 400 }) });
    expect(await failure(post("/api/v2/silences", {}))).toMatchObject({ message: "bad matcher" });
  });
  it("says that the server is away when there is no answer", async () => {
    globalThis.fetch = () => Promise.reject(new TypeError("network"));
    const error = await failure(get("/sb/v1/slos"));
    expect(error).toMatchObject({ code: "unreachable", status: 0 });
    expect(error.transient).toBe(true);
  });
  it("does not take HTML for an answer", async () => {
    stubApi({ "/sb/v1/slos": () => new Response("<html>", { status: 200 }) });
    expect(await failure(get("/sb/v1/slos"))).toMatchObject({ code: "bad_answer" });
  });
});
