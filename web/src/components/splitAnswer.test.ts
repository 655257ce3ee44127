import { describe, expect, it } from "vitest";
import { splitAnswer } from "./splitAnswer";

describe("an answer in a headline", () => {
  it("stays whole when it is short", () => {
    expect(splitAnswer("Blocked: burn 21× over 1 h (limit 14×).")).toEqual({
      head: "Blocked: burn 21× over 1 h (limit 14×).",
      rest: "",
    });
  });
  it("ends at a statement, the rest below", () => {
    const text =
      "1 of 14 SLOs is in danger; worst is Edge availability: burning 14.8× over 1 h (limit 14×): 717 of 48,357 events were bad; the budget is gone in 1 d 4 h.";
    const { head, rest } = splitAnswer(text);
    expect(head.startsWith("1 of 14 SLOs is in danger")).toBe(true);
    expect(head.endsWith(".")).toBe(true);
    expect(head.endsWith(":")).toBe(false);
    expect(rest).not.toBe("");
  });
  it("does not run on for a colon in brackets", () => {
    const text =
      "14 of 18 SLOs are on track so far in November 2026; 4 are not known (layout-traces: data for 3 % of the time, release-timeliness: data for 74 % of the time).";
    expect(splitAnswer(text).head).toBe("14 of 18 SLOs are on track so far in November 2026.");
  });
  it("never loses a word", () => {
    const text = "One two; three four: five. Six, seven 1.5× eight; nine. ".repeat(6).trim();
    const words = (value: string) =>
      value
        .toLowerCase()
        .match(/[\p{L}\p{N}.×]+/gu)
        ?.map((word) => word.replace(/\.$/, ""));
    const { head, rest } = splitAnswer(text);
    expect(words(`${head} ${rest}`)).toEqual(words(text));
  });
});
