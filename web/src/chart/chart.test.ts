import { describe, expect, it } from "vitest";
import { alignRange, seriesLabel, toChartData, toExemplarPoints } from "./matrix";
import { stack, stats, toCsv } from "./model";
import { timeLabels, yRange } from "./options";

describe("query results on a chart", () => {
  const range = { from: 100_000, to: 130_000 };
  it("leave a gap where a point is missing or is not a number", () => {
    const chart = toChartData(
      [
        {
          name: "rate",
          data: {
            resultType: "matrix",
            result: [
              {
                metric: {},
                values: [
                  [100, "1"],
                  [120, "NaN"],
                  [130, "4"],
                ],
              },
            ],
          },
        },
      ],
      range,
      10,
    );
    expect(chart.x).toEqual([100, 110, 120, 130]);
    expect(chart.series).toEqual([{ label: "rate", values: [1, null, null, 4] }]);
  });
  it("name several series by the labels that differ", () => {
    const result = ["eu-1", "us-2"].map((region) => ({ metric: { job: "x", region }, values: [] }));
    const chart = toChartData([{ name: "", data: { resultType: "matrix", result } }], range, 10);
    expect(chart.series.map((one) => one.label)).toEqual(['{region="eu-1"}', '{region="us-2"}']);
  });
  it("name one series by its metric and labels", () => {
    expect(seriesLabel({ __name__: "up", job: "a" }, "")).toBe('up{job="a"}');
  });
  it("widen the range to whole steps", () => {
    expect(alignRange({ from: 101_000, to: 129_000 }, 10)).toEqual({ from: 100_000, to: 130_000 });
  });
});

describe("series", () => {
  it("leave gaps out of their figures", () => {
    expect(stats([null, 3, 1, null])).toEqual({ min: 1, max: 3, last: 1 });
    expect(stats([null])).toEqual({ min: null, max: null, last: null });
  });
  it("stack from the last upwards, the first the tallest", () => {
    const series = [
      { label: "info", values: [5, null] },
      { label: "error", values: [2, null] },
    ];
    expect(stack(series)).toEqual([
      [7, null],
      [2, null],
    ]);
  });
  it("turn into CSV with empty fields for gaps", () => {
    expect(toCsv({ x: [0], series: [{ label: 'a "b"', values: [null] }] })).toBe(
      'time,"a ""b"""\n1970-01-01T00:00:00.000Z,',
    );
    expect(toCsv({ x: [0], series: [{ label: "=A1", values: [-2.5] }] })).toBe(
      "time,'=A1\n1970-01-01T00:00:00.000Z,-2.5",
    );
  });
});

describe("exemplars", () => {
  const range = { from: 0, to: 100_000 };
  const exemplars = (list: [string, number, number][]) => [
    {
      seriesLabels: {},
      exemplars: list.map(([id, value, timestamp]) => ({
        labels: id ? { trace_id: id } : ({} as Record<string, string>),
        value: String(value),
        timestamp,
      })),
    },
  ];
  it("are those with a trace, the highest of each part of the range", () => {
    const points = toExemplarPoints(
      exemplars([
        ["a", 1, 5],
        ["b", 5, 6],
        ["c", 3, 55],
        ["", 9, 56],
      ]),
      range,
      10,
    );
    expect(points.map((one) => one.traceId)).toEqual(["b", "c"]);
  });
  it("are never more than the parts, however many there are", () => {
    const many = Array.from({ length: 5000 }, (_, i): [string, number, number] => [`t${i}`, i % 97, i / 50]);
    expect(toExemplarPoints(exemplars(many), range, 40).length).toBeLessThanOrEqual(40);
  });
});

describe("axes", () => {
  it("begin at zero and include the thresholds", () => {
    const [low, high] = yRange(5, 8, [14]);
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(14);
  });
  it("write the day under its first label only", () => {
    const labels = timeLabels([0, 3600, 86_400], 3600, "utc");
    expect(labels).toEqual(["00:00\n1 Jan", "01:00", "00:00\n2 Jan"]);
  });
});
