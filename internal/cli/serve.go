package cli

import (
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/signalbox-project/signalbox/internal/app"
)

func serveCommand(version string) *cobra.Command {
	o := app.DefaultOptions()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the platform",
		Long: `Runs every part in one process: intakes, stores, SLOs, alerting, gate, API and UI.
Without a configuration file it runs on safe defaults and keeps its data in ./data.

Send telemetry to it:
  OpenTelemetry SDK   OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 (gRPC) or :4318 (HTTP)
  Prometheus          remote_write: [{url: http://localhost:4300/api/v1/write}]
  exporters           scrape_configs in signalbox.yml, as in prometheus.yml

Without authentication it listens on this machine alone. With --auth.enabled the first start prints
a link with which somebody becomes the first administrator.

SIGHUP or POST /-/reload reads the configuration again; a bad one changes nothing.`,
		Example: `  signalbox serve
  signalbox serve --config.file signalbox.yml --storage.path /var/lib/signalbox`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Version = version
			o.Output = cmd.ErrOrStderr()
			defer onHangup(&o)()
			return app.Run(cmd.Context(), o)
		},
	}
	serverFlags(cmd.Flags(), &o)
	cmd.Flags().BoolVar(&o.Auth, "auth.enabled", false, "everybody must log in or show a token; also auth.enabled in the configuration")
	cmd.Flags().StringVar(&o.ConfigFile, "config.file", "", "signalbox.yml; without one the defaults apply")
	return cmd
}

// onHangup reloads on SIGHUP until stop is called.
func onHangup(o *app.Options) (stop func()) {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	o.Hangup = hangup
	return func() { signal.Stop(hangup) }
}

func serverFlags(fs *pflag.FlagSet, o *app.Options) {
	fs.StringVar(&o.StoragePath, "storage.path", o.StoragePath, "folder for all data; made if missing")
	fs.StringVar(&o.ListenAddress, "web.listen-address", o.ListenAddress, "UI, API and HTTP intakes; auto is 127.0.0.1:4300, and :4300 with authentication")
	fs.StringVar(&o.ExternalURL, "web.external-url", "", "URL under which users reach the UI, for links in pages")
	fs.StringVar(&o.OTLPGRPCAddress, "otlp.grpc-address", o.OTLPGRPCAddress, "OTLP over gRPC; auto is 127.0.0.1:4317, and :4317 with authentication; empty turns it off")
	fs.StringVar(&o.OTLPHTTPAddress, "otlp.http-address", o.OTLPHTTPAddress, "OTLP over HTTP; auto is 127.0.0.1:4318, and :4318 with authentication; empty turns it off")
	fs.StringVar(&o.Log.Level, "log.level", o.Log.Level, "debug, info, warn or error")
	fs.StringVar(&o.Role, "role", app.RoleAll, "which parts run; there is only all so far")
	fs.StringVar(&o.Log.Format, "log.format", o.Log.Format, "logfmt or json")
}
