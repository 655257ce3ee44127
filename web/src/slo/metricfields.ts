/** How a metric's labels are called on the spans that it counts. */
export interface MetricFields {
  /** What every span it counts has in common. */
  always?: string;
  unit: "s" | "ms";
  /** The label that tells failures. */
  status?: string;
  labels: Record<string, string>;
  /** The label `route` also stands for spans without `http.route`. */
  routeIsGuess?: boolean;
}

const identity = {
  service: "service",
  service_name: "service",
  namespace: "namespace",
  service_namespace: "namespace",
  env: "env",
  deployment_environment: "env",
  deployment_environment_name: "env",
  region: "region",
  cloud_region: "region",
  version: "version",
  service_version: "version",
  tenant: "tenant",
};

/** Signalbox' own metric of spans. */
const spans: MetricFields = {
  routeIsGuess: true,
  unit: "s",
  status: "status",
  labels: { ...identity, route: "http.route", kind: "kind", status: "status" },
};

const server = "kind:server";

/** OpenTelemetry's histogram of HTTP servers. */
const stable: MetricFields = {
  always: server,
  unit: "s",
  status: "http_response_status_code",
  labels: {
    ...identity,
    http_route: "http.route",
    http_request_method: "http.request.method",
    http_response_status_code: "http.response.status_code",
    error_type: "error.type",
    url_scheme: "url.scheme",
  },
};

/** The same before HTTP's conventions were stable. */
const old: MetricFields = {
  always: server,
  unit: "ms",
  status: "http_status_code",
  labels: {
    ...identity,
    http_route: "http.route",
    http_method: "http.method",
    http_status_code: "http.status_code",
    http_scheme: "http.scheme",
  },
};

/** Counters and histograms that services expose to Prometheus by custom. */
function custom(status: string): MetricFields {
  return {
    always: server,
    unit: "s",
    status,
    labels: {
      ...identity,
      route: "http.route",
      http_route: "http.route",
      method: "http.request.method",
      [status]: "http.response.status_code",
    },
  };
}

/** The fields of a metric that counts spans or requests; nothing for any other. */
export function fieldsOf(metric: string, labels: string[] = []): MetricFields | undefined {
  const name = metric.replace(/_(count|bucket)$/, "");
  switch (name) {
    case "signalbox_span_duration_seconds":
      return spans;
    case "http_server_request_duration_seconds":
      return stable;
    case "http_server_duration_milliseconds":
    case "http_server_duration":
      return old;
    case "http_requests_total":
    case "http_server_requests_total":
    case "http_request_duration_seconds":
    case "http_server_requests_seconds":
      return custom(
        ["code", "status_code", "http_status_code", "status"].find((l) => labels.includes(l)) ?? "code",
      );
    default:
      return undefined;
  }
}
