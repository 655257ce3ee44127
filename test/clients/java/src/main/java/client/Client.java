package client;

import static java.util.concurrent.TimeUnit.SECONDS;

import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.context.Scope;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;

/** Sends one trace, two metrics and a log over OTLP/gRPC with the Java SDK. */
public final class Client {
  private static final String SERVICE = "sdk-client-java";
  private static final String MESSAGE = "order accepted";

  private Client() {}

  public static void main(String[] args) {
    String endpoint = args[0].contains("://") ? args[0] : "http://" + args[0];
    Resource resource = Resource.getDefault().merge(Resource.create(Attributes.builder()
        .put("service.name", SERVICE).put("service.version", "1.0.0")
        .put("deployment.environment.name", "test").put("cloud.region", "local-1").build()));
    SdkTracerProvider traces = SdkTracerProvider.builder().setResource(resource)
        .addSpanProcessor(BatchSpanProcessor.builder(
            OtlpGrpcSpanExporter.builder().setEndpoint(endpoint).setCompression("gzip").build()).build())
        .build();
    SdkMeterProvider metrics = SdkMeterProvider.builder().setResource(resource)
        .registerMetricReader(PeriodicMetricReader.create(
            OtlpGrpcMetricExporter.builder().setEndpoint(endpoint).setCompression("gzip").build()))
        .build();
    SdkLoggerProvider logs = SdkLoggerProvider.builder().setResource(resource)
        .addLogRecordProcessor(BatchLogRecordProcessor.builder(
            OtlpGrpcLogRecordExporter.builder().setEndpoint(endpoint).setCompression("gzip").build()).build())
        .build();
    OpenTelemetrySdk sdk = OpenTelemetrySdk.builder()
        .setTracerProvider(traces).setMeterProvider(metrics).setLoggerProvider(logs).build();

    String traceId = work(sdk);

    CompletableResultCode sent = CompletableResultCode
        .ofAll(java.util.List.of(traces.forceFlush(), metrics.forceFlush(), logs.forceFlush()))
        .join(20, SECONDS);
    sdk.close();
    if (!sent.isSuccess()) {
      System.err.println("not everything was sent");
      System.exit(1);
    }
    System.out.printf("{\"trace_id\": \"%s\", \"service\": \"%s\", \"metric\": \"%s\", \"log_message\": \"%s\"}%n",
        traceId, SERVICE, "sdk_client_orders_total", MESSAGE);
  }

  private static String work(OpenTelemetrySdk sdk) {
    var tracer = sdk.getTracer("client");
    var meter = sdk.getMeter("client");
    var orders = meter.counterBuilder("sdk.client.orders").build();
    var duration = meter.histogramBuilder("sdk.client.duration").setUnit("s").build();
    Span root = tracer.spanBuilder("POST /orders").setSpanKind(SpanKind.SERVER).setAttribute("http.route", "/orders").startSpan();
    try (Scope ignored = root.makeCurrent()) {
      Span child = tracer.spanBuilder("store order").setSpanKind(SpanKind.CLIENT).startSpan();
      try (Scope inner = child.makeCurrent()) {
        orders.add(1, Attributes.of(AttributeKey.stringKey("kind"), "new"));
        duration.record(0.012);
        sdk.getLogsBridge().get("client").logRecordBuilder().setSeverity(Severity.INFO).setSeverityText("INFO")
            .setBody(MESSAGE).setAttribute(AttributeKey.stringKey("request_id"), "r-1").emit();
      } finally {
        child.end();
      }
    } finally {
      root.end();
    }
    return root.getSpanContext().getTraceId();
  }
}
