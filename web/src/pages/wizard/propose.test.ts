import { describe, expect, it } from "vitest";
import type { PromData } from "~/api/types";
import { bucketsOf, openSlo, proposals, sourcesOf } from "./propose";

const data: PromData = {
  resultType: "vector",
  result: (
    [
      ["0.1", 50],
      ["0.25", 96],
      ["1", 60],
      ["1.0", 39],
      ["+Inf", 60],
      ["+Inf", 40],
    ] as const
  ).map(([le, value]) => ({ metric: { le }, value: [0, String(value)] })),
};

describe("a proposal", () => {
  const [source] = sourcesOf("edge");
  const list = source ? proposals("edge", source, bucketsOf(data)) : [];

  it("is availability, and latency at the buckets just above P95 and P99", () => {
    expect(list.map((one) => one.title)).toEqual([
      "Availability",
      "Latency, within 250 ms",
      "Latency, within 1 s",
    ]);
  });
  it("counts a bound that is written in two ways by both", () => {
    expect(list[2]?.good).toContain('le=~"1|1.0"');
  });
  it("becomes a document whose queries are quoted once", () => {
    const text = list[0] ? openSlo("edge", list[0], 99.9, "28d") : "";
    expect(text).toContain("name: edge-availability\n");
    expect(text).toContain("- targetPercent: 99.9\n");
    expect(text).toContain(
      `query: 'sum(http_server_request_duration_seconds_count{service="edge",http_response_status_code=~"5.."})'`,
    );
  });
});
