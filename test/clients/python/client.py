"""Sends one trace, two metrics and a log over OTLP/gRPC with the Python SDK."""

import json
import sys
import time

from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

SERVICE = "sdk-client-python"
MESSAGE = "order accepted"


def main() -> int:
    endpoint = sys.argv[1].removeprefix("http://")
    target = {"endpoint": endpoint, "insecure": True}
    resource = Resource.create({
        "service.name": SERVICE, "service.version": "1.0.0",
        "deployment.environment.name": "test", "cloud.region": "local-1",
    })
    traces = TracerProvider(resource=resource)
    traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(**target)))
    metrics = MeterProvider([PeriodicExportingMetricReader(OTLPMetricExporter(**target))], resource=resource)
    logs = LoggerProvider(resource=resource)
    logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(**target)))

    tracer = traces.get_tracer("client")
    meter = metrics.get_meter("client")
    orders = meter.create_counter("sdk.client.orders")
    duration = meter.create_histogram("sdk.client.duration", unit="s")

    with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER, attributes={"http.route": "/orders"}) as span:
        with tracer.start_as_current_span("store order", kind=SpanKind.CLIENT):
            orders.add(1, {"kind": "new"})
            duration.record(0.012)
            logs.get_logger("client").emit(LogRecord(
                timestamp=time.time_ns(), severity_number=SeverityNumber.INFO, severity_text="INFO",
                body=MESSAGE, attributes={"request_id": "r-1"},
            ))
        trace_id = format(span.get_span_context().trace_id, "032x")

    sent = [traces.force_flush(20000), metrics.force_flush(20000), logs.force_flush(20000)]
    for provider in (traces, metrics, logs):
        provider.shutdown()
    if not all(sent):
        print(f"not everything was sent: traces, metrics, logs = {sent}", file=sys.stderr)
        return 1
    print(json.dumps({"trace_id": trace_id, "service": SERVICE, "metric": "sdk_client_orders_total", "log_message": MESSAGE}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
