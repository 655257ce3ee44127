import { describe, expect, it } from "vitest";
import { matchersOfLabels, matcherText, parseMatchers } from "./matchers";

describe("matchers", () => {
  it.each(['service="edge"', 'region=~"eu-.*", env!="dev"', 'path!~"a,b \\"c\\""'])(
    "survive reading and writing: %s",
    (text) => {
      expect(matcherText(parseMatchers(text))).toBe(text);
    },
  );
  it("take braces and bare values", () => {
    expect(parseMatchers("{service=edge}")).toEqual([
      { name: "service", value: "edge", isRegex: false, isEqual: true },
    ]);
  });
  it.each(["", "service", 'service=""', "5=x"])("say what is wrong with: %s", (text) => {
    expect(() => parseMatchers(text)).toThrow();
  });
  it("of an alert leave out what only tells copies apart", () => {
    expect(matchersOfLabels('{"alertname":"A","instance":"x","service":"edge"}')).toBe(
      'alertname="A", service="edge"',
    );
    expect(matchersOfLabels("not json")).toBe("");
  });
});
