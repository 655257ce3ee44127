import { describe, expect, it } from "vitest";
import type { TraceRow } from "~/api/types";
import { roundTicks } from "~/pages/trace/Waterfall";
import { spanOf } from "./DurationScatter";

const at = (ms: number) => ({ start: new Date(ms).toISOString() }) as TraceRow;

describe("the scatter of traces", () => {
  it("is as wide as the traces shown, with room for the first and the last point", () => {
    const hour = { from: 0, to: 3_600_000 };
    const { from, to } = spanOf([at(3_590_000), at(3_580_000)], hour);
    expect(from).toBeLessThan(3_580_000);
    expect(from).toBeGreaterThan(3_570_000);
    expect(to).toBeGreaterThan(3_590_000);
    expect(to).toBeLessThan(3_600_000);
  });
  it("has a width for a single trace too", () => {
    const { from, to } = spanOf([at(1000)], { from: 0, to: 2000 });
    expect(to - from).toBe(1000);
  });
});

describe("the waterfall's axis", () => {
  it.each([
    [27.7, [0, 10, 20]],
    [812, [0, 250, 500, 750]],
    [4000, [0, 1000, 2000, 3000]],
    [0.9, [0, 0.25, 0.5, 0.75]],
  ])("of %d ms has round ticks", (total, want) => expect(roundTicks(total)).toEqual(want));
  it("has one tick where nothing took time", () => expect(roundTicks(0)).toEqual([0]));
});
