import { describe, expect, it } from "vitest";
import {
  type Draft,
  decodeSets,
  encodeSets,
  firstChange,
  freeName,
  kindOf,
  mistakesOf,
  toSet,
  withChange,
} from "./documents";

const edge = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: edge-availability
spec:
  indicator:
    metadata:
      name: edge-availability
  timeWindow:
    - duration: 30d
      isRolling: true
  objectives:
    - target: 0.999
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: edge-latency
spec:
  timeWindow:
    - duration: 30d
  objectives:
    - targetPercent: 95
`;
const draft = (name: string, text: string): Draft => ({ kind: kindOf(text), name, text });

describe("a document's kind", () => {
  it.each([
    ["policies:\n  - name: a", "policies"],
    ["# rules\ngroups:\n- name: a", "rules"],
    [edge, "slos"],
  ])("is read from its top level (%#)", (text, kind) => expect(kindOf(text)).toBe(kind));
});

describe("another target or window", () => {
  it("changes the one SLO and nothing else of its file", () => {
    const { drafts, done } = withChange([draft("edge.yaml", edge)], {
      slo: "edge-availability",
      target: 99.99,
      window: "7d",
    });
    expect(done).toBe(true);
    expect(drafts[0]?.text).toBe(
      edge.replace("target: 0.999", "target: 0.9999").replace("duration: 30d", "duration: 7d"),
    );
    expect(firstChange(edge, drafts[0]?.text ?? "")).toBe(10);
  });
  it("keeps a target in percent as percent", () => {
    const { drafts } = withChange([draft("edge.yaml", edge)], { slo: "edge-latency", target: 97 });
    expect(drafts[0]?.text).toBe(edge.replace("targetPercent: 95", "targetPercent: 97"));
  });
  it("leaves a document alone that it does not understand, and says so", () => {
    const odd = "kind: SLO\nmetadata:\n  name: edge-availability\nspec: {objectives: [{target: 0.9}]}\n";
    const { drafts, done } = withChange([draft("odd.yaml", odd)], { slo: "edge-availability", window: "7d" });
    expect([done, drafts[0]?.text]).toEqual([false, odd]);
  });
});

describe("sets in an address", () => {
  it("come back as they were", async () => {
    const sets = { a: [], b: [draft("edge.yaml", edge.repeat(30)), draft("ü.yml", "groups: [] # ✓")] };
    const text = await encodeSets(sets);
    expect(text).toMatch(/^[\w-]+$/);
    expect(text.length).toBeLessThan(edge.length * 5);
    expect(await decodeSets(text)).toEqual(sets);
  });
  it("are not guessed from half a link", async () => {
    const text = await encodeSets({ a: [], b: [draft("edge.yaml", edge)] });
    expect(await decodeSets(text.slice(0, text.length / 2))).toBeUndefined();
    expect(await decodeSets("%%%")).toBeUndefined();
  });
});

describe("mistakes", () => {
  const drafts = [draft("B/a.yaml", ""), draft("B/a.yaml.yaml", ""), draft("B/r.yml", "")];
  it("are found at their document and line", () => {
    const message =
      'B/a.yaml:7: not valid YAML\nB/r.yml: 5:11: group "a": parse error\nmore of it\nB/a.yaml.yaml: defined twice';
    expect(mistakesOf(message, drafts)).toEqual([
      { name: "B/a.yaml", line: 7, message: "not valid YAML" },
      { name: "B/r.yml", line: 5, message: 'group "a": parse error more of it' },
      { name: "B/a.yaml.yaml", line: 0, message: "defined twice" },
    ]);
  });
  it("of the request itself are none of a document", () =>
    expect(mistakesOf("step: must be whole minutes", drafts)).toEqual([]));
});

describe("a set", () => {
  it("has each kind in its place and no empty ones", () =>
    expect(toSet([draft("a.yaml", edge), draft("r.yml", "groups: []")])).toEqual({
      slos: [{ name: "a.yaml", text: edge }],
      rules: [{ name: "r.yml", text: "groups: []" }],
    }));
  it("never has one name twice", () =>
    expect(freeName([draft("a.yaml", ""), draft("a-2.yaml", "")], "a.yaml")).toBe("a-3.yaml"));
});
