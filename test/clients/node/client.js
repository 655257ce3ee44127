// Sends one trace, two metrics and a log over OTLP/HTTP (JSON) with the Node.js SDK.
import { context, SpanKind, trace } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';

const service = 'sdk-client-node';
const message = 'order accepted';
const base = process.argv[2].replace(/\/+$/, '');
const failures = [];

// checked notes exports that fail: the providers themselves only log them.
function checked(exporter) {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.code !== 0) failures.push(result.error ?? new Error('export failed'));
      done(result);
    });
  return exporter;
}

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
const resource = resourceFromAttributes({
  'service.name': service,
  'service.version': '1.0.0',
  'deployment.environment.name': 'test',
  'cloud.region': 'local-1',
});
const traces = new NodeTracerProvider({
  resource,
  spanProcessors: [new SimpleSpanProcessor(checked(new OTLPTraceExporter({ url: `${base}/v1/traces` })))],
});
const metrics = new MeterProvider({
  resource,
  readers: [new PeriodicExportingMetricReader({ exporter: checked(new OTLPMetricExporter({ url: `${base}/v1/metrics` })) })],
});
const logExporter = checked(new OTLPLogExporter({ url: `${base}/v1/logs` }));
const logs = new LoggerProvider({ resource, processors: [new SimpleLogRecordProcessor({ exporter: logExporter })] });

const tracer = traces.getTracer('client');
const meter = metrics.getMeter('client');
const orders = meter.createCounter('sdk.client.orders');
const duration = meter.createHistogram('sdk.client.duration', { unit: 's' });

const root = tracer.startSpan('POST /orders', { kind: SpanKind.SERVER, attributes: { 'http.route': '/orders' } });
context.with(trace.setSpan(context.active(), root), () => {
  const child = tracer.startSpan('store order', { kind: SpanKind.CLIENT });
  context.with(trace.setSpan(context.active(), child), () => {
    orders.add(1, { kind: 'new' });
    duration.record(0.012);
    logs.getLogger('client').emit({
      severityNumber: SeverityNumber.INFO,
      severityText: 'INFO',
      body: message,
      attributes: { request_id: 'r-1' },
    });
  });
  child.end();
});
root.end();

for (const provider of [traces, metrics, logs]) await provider.forceFlush();
for (const provider of [traces, metrics, logs]) await provider.shutdown();
if (failures.length > 0) {
  console.error(failures);
  process.exit(1);
}
console.log(JSON.stringify({
  trace_id: root.spanContext().traceId,
  service,
  metric: 'sdk_client_orders_total',
  log_message: message,
}));
