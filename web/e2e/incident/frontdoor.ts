import { type APIRequestContext, expect } from "@playwright/test";

const minute = 60_000;

interface Point {
  at: number;
  value: number;
}

/**
 * The front door of the incident, as its telemetry tells it: after a DNS cut-over each call of the cache takes a port of the node, and once there
 * are none a fifth of the requests fails, while processors, memory, pods and connections of the database go on as ever.
 */
export class FrontDoor {
  private good = 1_000_000;
  private bad = 1000;
  private last: number;
  private failing = true;
  private timer: NodeJS.Timeout | undefined;
  private readonly cutOver: number;

  constructor(private readonly api: APIRequestContext) {
    this.last = Date.now();
    this.cutOver = this.last - 12 * minute;
  }

  private async send(metrics: object[]) {
    const answer = await this.api.post("/v1/metrics", {
      data: {
        resourceMetrics: [
          {
            resource: {
              attributes: [
                { key: "service.name", value: { stringValue: "front-door" } },
                { key: "deployment.environment.name", value: { stringValue: "prod" } },
              ],
            },
            scopeMetrics: [{ metrics }],
          },
        ],
      },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
  }

  private gauges(times: number[]): object[] {
    const wave = (at: number, mid: number, width: number) =>
      mid + width * Math.sin(at / (7 * minute)) + (width / 4) * Math.sin(at / (minute * 1.3));
    const used = (at: number) =>
      at < this.cutOver || !this.failing
        ? wave(at, 210, 30)
        : Math.min(1024, 210 + (at - this.cutOver) * (820 / (7 * minute)));
    const of = {
      cpu_utilization: (at: number) => wave(at, 0.4, 0.08),
      memory_utilization: (at: number) => wave(at, 0.55, 0.02),
      db_connections: (at: number) => wave(at, 18, 4),
      pods_ready: () => 6,
      snat_ports_used: used,
      snat_ports_limit: () => (this.failing ? 1024 : 4096),
    };
    return Object.entries(of).map(([name, value]) => ({
      name: `front_door_${name}`,
      gauge: { dataPoints: times.map((at) => ({ timeUnixNano: `${at}000000`, asDouble: value(at) })) },
    }));
  }

  private counter(code: string, points: Point[]) {
    return points.map(({ at, value }) => ({
      startTimeUnixNano: `${this.cutOver - 3 * 60 * minute}000000`,
      timeUnixNano: `${at}000000`,
      asDouble: value,
      attributes: [{ key: "code", value: { stringValue: code } }],
    }));
  }

  private requests(good: Point[], bad: Point[]): object {
    return {
      name: "front_door_requests",
      sum: {
        aggregationTemporality: 2,
        isMonotonic: true,
        dataPoints: [...this.counter("200", good), ...this.counter("502", bad)],
      },
    };
  }

  /** The two hours before, and the first minutes in which requests fail. */
  async past() {
    const times: number[] = [];
    for (let at = this.last - 120 * minute; at <= this.last; at += minute) times.push(at);
    const good = times.map((at) => {
      this.good += 6000;
      return { at, value: this.good };
    });
    await this.send([
      ...this.gauges(times),
      this.requests(
        good,
        times.map((at) => ({ at, value: this.bad })),
      ),
    ]);
    this.timer = setInterval(() => void this.now(), 1000);
  }

  private async now() {
    const at = Date.now();
    const n = ((at - this.last) / 1000) * 100;
    this.last = at;
    this.good += this.failing ? n * 0.8 : n;
    this.bad += this.failing ? n * 0.2 : 0;
    await this.send([
      ...this.gauges([at]),
      this.requests([{ at, value: this.good }], [{ at, value: this.bad }]),
    ]).catch(() => undefined);
  }

  /** What the change of the cut-over left behind. */
  async mark() {
    const answer = await this.api.post("/sb/v1/deploys", {
      data: {
        service: "front-door",
        environment: "prod",
        version: "dns-cut-over",
        kind: "config",
        actor: "mara",
        time: new Date(this.cutOver - minute).toISOString(),
        message: "DNS cut-over: the cache is called by its public name",
      },
    });
    expect(answer.ok(), await answer.text()).toBe(true);
  }

  /** Somebody raises the limit of ports for each node: calls go through again. */
  repair() {
    this.failing = false;
  }

  stop() {
    clearInterval(this.timer);
  }
}
