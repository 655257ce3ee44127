import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { SLOStatus } from "~/api/types";
import { slo } from "~/test/samples";
import { badTraces, tracesWords } from "./badtraces";
import demo from "./testdata/demo-bad-traces.json";

const http = "http_server_request_duration_seconds";
const of = (queries: Partial<SLOStatus["queries"]>, source = "promql") =>
  badTraces(slo({ source, queries: { error: "", ...queries } } as Partial<SLOStatus>));

describe("the traces that spent the budget of an SLO over PromQL", () => {
  const bad = (matchers: string, metric = `${http}_count`) => of({ bad: `sum(${metric}{${matchers}})` });
  it.each([
    ['http_response_status_code=~"5.."', "kind:server http.response.status_code:>=500"],
    ['http_response_status_code=~"[45].."', "kind:server http.response.status_code:>=400"],
    ['http_response_status_code=~"4..|5.."', "kind:server http.response.status_code:>=400"],
    ['http_response_status_code=~"5..|429"', "kind:server http.response.status_code:(>=500 OR 429)"],
    ['http_response_status_code=~"(5..|429)"', "kind:server http.response.status_code:(>=500 OR 429)"],
    ['http_response_status_code=~"5\\\\d{2}"', "kind:server http.response.status_code:>=500"],
    ['http_response_status_code=~"4.."', "kind:server http.response.status_code:(>=400 <500)"],
    ['http_response_status_code=~"500|503"', "kind:server http.response.status_code:(500 OR 503)"],
    ['http_response_status_code="503"', "kind:server http.response.status_code:503"],
    ['http_response_status_code!~"5.."', "kind:server -http.response.status_code:>=500"],
    ['http_response_status_code!~"[2-4].."', "kind:server -http.response.status_code:(>=200 <500)"],
    ['http_response_status_code!="200"', "kind:server -http.response.status_code:200"],
    ['http_response_status_code=~"50[34]"', "kind:server http.response.status_code:/^(?:50[34])$/"],
    ['error_type!=""', "kind:server error.type:*"],
    ['job="shop/edge",error_type!=""', "kind:server service:edge error.type:*"],
    [
      'service="edge",env="prod",region=~"eu-1|us-2",version!="1.2",error_type=~".+"',
      "kind:server service:edge env:prod region:(eu-1 OR us-2) -version:1.2 error.type:*",
    ],
    ['http_route=~"(/remote)?/layouts/.id."', "kind:server http.route:/^(?:(\\/remote)?\\/layouts\\/.id.)$/"],
  ])("are for {%s} those of %s", (matchers, filter) => {
    expect(bad(matchers)).toEqual({ q: filter, exact: true, slow: false, word: "failing" });
  });

  it.each([
    ["http_requests_total", 'code=~"5.."', "kind:server http.response.status_code:>=500"],
    ["http_requests_total", 'status_code="500"', "kind:server http.response.status_code:500"],
    [
      "http_server_duration_milliseconds_count",
      'http_status_code=~"5.."',
      "kind:server http.status_code:>=500",
    ],
    [
      "signalbox_span_duration_seconds_count",
      'service="edge",route="/a b",kind="server",status="error"',
      'service:edge http.route:"/a b" kind:server status:error',
    ],
    ["signalbox_span_duration_seconds_count", 'service="a",status!="ok"', "service:a status:error"],
  ])("go by the labels of %s{%s}", (metric, matchers, filter) => {
    expect(bad(matchers, metric).q).toBe(filter);
  });

  it("are those of total that are not good", () => {
    const total = `sum(rate(${http}_count{service="edge"}[$window]))`;
    const good = `sum(rate(${http}_count{service="edge",http_response_status_code!~"5..|429"}[$window]))`;
    const both = `sum(rate(${http}_count{service="edge",http_response_status_code!~"5..",http_route!="/x"}[5m]))`;
    expect(of({ total, good }).q).toBe("kind:server service:edge http.response.status_code:(>=500 OR 429)");
    expect(of({ total, good: both }).q).toBe(
      'kind:server service:edge NOT (-http.response.status_code:>=500 -http.route:"/x")',
    );
  });

  it("are for latency those above the bucket", () => {
    const total = `sum by (service) (increase(${http}_count{service="edge"}[$window]))`;
    const good = (le: string, metric = http) =>
      `sum(increase(${metric}_bucket{service="edge",le=${le}}[$window]))`;
    const slow = (q: string) => ({
      q: `kind:server service:edge ${q}`,
      exact: true,
      slow: true,
      word: "slow",
    });
    expect(of({ total, good: good('"0.3"') })).toEqual(slow("duration:>300ms"));
    expect(of({ bad: `${total} - ${good('"2.5"')}` })).toEqual(slow("duration:>2.5s"));
    expect(of({ error: `1 - ${good('"0.07"')} / ${total}` })).toEqual(slow("duration:>70ms"));
  });

  it("are those of the error ratio's numerator where the SLO has one query", () => {
    const error = `sum(rate(${http}_count{http_response_status_code=~"5.."}[1m])) / sum(rate(${http}_count[1m]))`;
    expect(of({ error }).q).toBe("kind:server http.response.status_code:>=500");
  });

  it("are both sums' traces", () => {
    const one = (code: string) => `sum(${http}_count{http_response_status_code="${code}"})`;
    expect(of({ bad: `${one("500")} + ${one("429")}` }).q).toBe(
      "(kind:server http.response.status_code:500) OR (kind:server http.response.status_code:429)",
    );
  });

  it.each([
    ["a metric that no span makes", "sum(queue_errors_total)"],
    ["a label that no span has", `sum(${http}_count{pod="x"})`],
    ["another service's job", `sum(${http}_count{job="other"})`],
    ["a route of a queue", 'sum(signalbox_span_duration_seconds_count{route="orders",status="error"})'],
    ["a function that picks", `topk(1, ${http}_count)`],
    ["arithmetic that is no count", `sum(${http}_count) * 2`],
    ["a comparison", `${http}_count > 5`],
    ["a query that is cut off", `sum(${http}_count{service="edge"`],
  ])("are not guessed for %s", (_, query) => {
    const traces = of({ bad: query });
    expect(traces).toEqual({ q: "service:edge", exact: false, slow: false });
    expect(tracesWords(traces)).toBe("Traces of the service");
  });
});

describe("the traces that spent the budget of an SLO over", () => {
  it("spans are those of its filters", () => {
    expect(of({ total: "kind:server", good: "duration:<1s" }, "spans").q).toBe(
      "(kind:server) NOT (duration:<1s)",
    );
    expect(of({ total: "service:a", bad: "status:error" }, "spans").q).toBe("(service:a) (status:error)");
  });
  it.each(["deploys", "composite"])("%s are not known", (source) => {
    expect(of({ bad: "status:failed" }, source).exact).toBe(false);
  });
});

describe("the demo's SLOs", () => {
  const folder = "../examples/broker/slos";
  const text = readdirSync(folder).map((file) => readFileSync(`${folder}/${file}`, "utf8"));
  const documents = text.flatMap((t) => t.split(/^---$/m)).filter((d) => /^kind: SLO$/m.test(d));
  const field = (document: string, pattern: RegExp) => pattern.exec(document)?.[1] ?? "";
  const read = (document: string) => {
    const query = (part: string) =>
      field(document, new RegExp(`^        ${part}:\n(?: {9}.*\n)*? +query: '(.*)'$`, "m")) || undefined;
    const type = field(document, /type: signalbox-(\w+)/) || "promql";
    return badTraces(
      slo({
        name: field(document, /^ {2}name: (.*)$/m),
        service: field(document, /^ {2}service: (.*)$/m),
        source: type,
        queries: { error: "", bad: query("bad"), good: query("good"), total: query("total") },
      } as Partial<SLOStatus>),
    );
  };
  it("each lead to the traces of the events that they count as bad", () => {
    const found = Object.fromEntries(documents.map((d) => [field(d, /^ {2}name: (.*)$/m), read(d)]));
    const filters = Object.entries(found).map(([name, { q, word }]) => [name, { q, word: word ?? "all" }]);
    expect(Object.fromEntries(filters)).toEqual(demo);
  });
});
