import { describe, expect, it } from "vitest";
import { parseSearch, stringifySearch } from "./search";

describe("the query string", () => {
  it("is plain text that a person can write", () => {
    expect(parseSearch("?q=service:x status:error&last=6h")).toEqual({
      q: "service:x status:error",
      last: "6h",
    });
  });
  it("keeps numbers and words as text", () => {
    expect(parseSearch("?q=500&version=true")).toEqual({ q: "500", version: "true" });
  });
  it("repeats lists and leaves out what is empty", () => {
    const text = stringifySearch({
      expr: ["a+b", "c"],
      q: "",
      last: undefined,
      from: "2026-11-21T14:00:00Z",
    });
    expect(text).toBe("?expr=a%2Bb&expr=c&from=2026-11-21T14:00:00Z");
    expect(parseSearch(text)).toEqual({ expr: ["a+b", "c"], from: "2026-11-21T14:00:00Z" });
  });
});
