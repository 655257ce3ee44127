import { useMemo } from "react";
import type { ServiceDetail } from "~/api/types";
import { deployMarkers } from "~/chart/deployMarkers";
import type { Threshold } from "~/chart/model";
import { PromChart } from "~/chart/PromChart";
import { isLatency, latencyLimit } from "~/slo/burn";
import { parseSpan } from "~/time/range";

/** The objectives of the service's SLOs that a chart's unit can show. */
function objectiveLines(service: ServiceDetail, latency: boolean): Threshold[] {
  return service.slos.flatMap((slo): Threshold[] => {
    if (isLatency(slo) !== latency) return [];
    if (!latency)
      return [{ value: 1 - slo.objective, label: `${slo.display_name}: allowed`, tone: "caution" }];
    const limit = latencyLimit(slo);
    const seconds = limit?.endsWith("ms") ? Number.parseFloat(limit) / 1000 : parseSpan(limit ?? "");
    return seconds ? [{ value: seconds, label: `${slo.display_name}: limit`, tone: "caution" }] : [];
  });
}

/** Rate, errors, latency and saturation, with the deployments drawn. */
export function GoldenSignals({ service }: { service: ServiceDetail }) {
  const { queries } = service;
  const markers = useMemo(() => deployMarkers(service.deploys), [service.deploys]);
  const errorLines = useMemo(() => objectiveLines(service, false), [service]);
  const latencyLines = useMemo(() => objectiveLines(service, true), [service]);
  const exemplarsOf = `signalbox_span_duration_seconds_bucket{service="${service.service.replace(/["\\]/g, "\\$&")}",kind=~"server|consumer"}`;
  return (
    <div className="grid2">
      <section className="panel">
        <PromChart
          title="Requests"
          unit="per_second"
          queries={[{ name: "Requests", expr: queries.rate, tone: "accent" }]}
          markers={markers}
        />
      </section>
      <section className="panel">
        <PromChart
          title="Errors"
          unit="ratio"
          queries={[{ name: "Error ratio", expr: queries.errors, tone: "danger" }]}
          markers={markers}
          thresholds={errorLines}
        />
      </section>
      <section className="panel">
        <PromChart
          title="Latency"
          unit="seconds"
          queries={[
            { name: "P99", expr: queries.p99 },
            { name: "P95", expr: queries.p95 },
            { name: "P50", expr: queries.p50 },
          ]}
          markers={markers}
          thresholds={latencyLines}
          exemplarsOf={exemplarsOf}
        />
      </section>
      <section className="panel">
        <PromChart
          title="Saturation: the fuller of CPU and memory"
          unit="ratio"
          queries={[{ name: "Share in use", expr: queries.saturation }]}
          markers={markers}
          empty={
            queries.saturation
              ? "The service sends no metric of its CPU or memory in use (process.cpu.utilization, container.memory.utilization)."
              : "No metric of CPU or memory in use is known for this service."
          }
        />
      </section>
    </div>
  );
}
