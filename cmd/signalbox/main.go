// Command signalbox is the whole platform: see internal/cli for its
// subcommands. It turns signals into the end of a context and hands over.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/signalbox-project/signalbox/internal/cli"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Main(ctx, version, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}
