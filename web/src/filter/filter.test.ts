import { describe, expect, it } from "vitest";
import { addTerm, buildFilter, fieldValue, quoteValue, removeTerm, splitTerms, termState } from "./filter";

describe("values in the filter language", () => {
  it.each([
    ["edge", "edge"],
    ["2.4.1", "2.4.1"],
    ["GET /v1", '"GET /v1"'],
    ['say "hi"', '"say \\"hi\\""'],
    ["a\\b", '"a\\\\b"'],
    ["OR", '"OR"'],
    ["", '""'],
    [">5", '">5"'],
    ["/regex/", '"/regex/"'],
    ["eu*", '"eu*"'],
  ])("%s is written %s", (value, text) => expect(quoteValue(value)).toBe(text));
});

describe("narrowing a query", () => {
  it("adds a term once and turns it round", () => {
    const one = addTerm("timeout", "service", "edge");
    expect(one).toBe("timeout service:edge");
    expect(addTerm(one, "service", "edge")).toBe(one);
    expect(addTerm(one, "service", "edge", true)).toBe("timeout NOT service:edge");
    expect(removeTerm("timeout NOT service:edge", "service", "edge")).toBe("timeout");
  });
  it("keeps the meaning of an OR", () => {
    expect(addTerm("a OR b", "level", "error")).toBe("(a OR b) level:error");
  });
  it("knows whether a value is in, out or neither", () => {
    expect(termState("service:edge", "service", "edge")).toBe("in");
    expect(termState("NOT service:edge", "service", "edge")).toBe("out");
    expect(termState('"service:edge"', "service", "edge")).toBe("none");
  });
  it("splits at spaces outside quotes, brackets and regexes", () => {
    expect(splitTerms('a "b c" (d OR e) /f g/ h:"i j"')).toEqual([
      "a",
      '"b c"',
      "(d OR e)",
      "/f g/",
      'h:"i j"',
    ]);
  });
  it("reads the value a field is asked for", () => {
    expect(fieldValue('service:"my svc" level:error', "service")).toBe("my svc");
    expect(fieldValue("duration:>300ms", "duration")).toBeUndefined();
    expect(fieldValue("NOT service:edge", "service")).toBeUndefined();
  });
  it("leaves out what is not set", () => {
    expect(buildFilter({ service: "edge", version: undefined, region: "" })).toBe("service:edge");
  });
});
