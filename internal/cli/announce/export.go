package announce

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/platform/atomicfile"
	"github.com/signalbox-project/signalbox/internal/platform/weblink"
	"github.com/signalbox-project/signalbox/internal/statuspage"
	"github.com/signalbox-project/signalbox/internal/statuspage/site"
)

// leastEvery bounds how often a copy is made anew.
const leastEvery = 10 * time.Second

// export makes a copy of a page.
type export struct {
	client   client.Client
	page     string
	to, base string
	every    time.Duration
}

func statusExportCommand() *cobra.Command {
	var e export
	cmd := &cobra.Command{
		Use: "export PAGE", Short: "Write a status page as files, for a web server elsewhere", Args: cobra.ExactArgs(1),
		Long: `Writes every file of a page into a folder that any web server can serve. The copy says when it was made, and by
itself when it is older than stale_after. With --every it is made anew again and again until it is stopped; while the
server does not answer, the last copy stays.`,
		Example: `  signalbox status-page export broker --to /var/www/status --base https://status.example.com/ --every 1m`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if e.page = args[0]; e.to == "" {
				return command.Usage(errors.New("--to: name the folder"))
			}
			if e.every != 0 && e.every < leastEvery {
				return command.Usage(fmt.Errorf("--every: must be at least %s, got %s", leastEvery, e.every))
			}
			if e.base != "" && (weblink.Check(e.base) != nil || strings.ContainsAny(e.base, "?#")) {
				return command.Usage(fmt.Errorf("--base %q: give the address at which readers reach the copy", e.base))
			}
			n, err := e.copy(cmd.Context())
			if err == nil {
				fmt.Fprintf(cmd.OutOrStdout(), "%d files of %s are in %s\n", n, e.page, e.to)
			}
			if e.every == 0 {
				return err
			}
			e.again(cmd, err)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&e.to, "to", "", "the folder; it is made, or must hold such a copy")
	f.StringVar(&e.base, "base", "", "the address at which readers reach the copy; the url of the page if absent")
	f.DurationVar(&e.every, "every", 0, "make it anew that often, until stopped")
	e.client.Flags(f)
	return cmd
}

// again makes the copy anew until the command is stopped. What went wrong is said once, and the copy that is there stays.
func (e *export) again(cmd *cobra.Command, last error) {
	say := func(err error) {
		if err != nil && (last == nil || err.Error() != last.Error()) {
			fmt.Fprintf(cmd.ErrOrStderr(), "the copy was not made anew, the last one stays: %v\n", err)
		}
		if err == nil && last != nil {
			fmt.Fprintln(cmd.ErrOrStderr(), "the copy is made anew again")
		}
		last = err
	}
	if last != nil {
		fmt.Fprintf(cmd.ErrOrStderr(), "no copy was made yet: %v\n", last)
	}
	tick := time.NewTicker(e.every)
	defer tick.Stop()
	for {
		select {
		case <-cmd.Context().Done():
			return
		case <-tick.C:
			_, err := e.copy(cmd.Context())
			say(err)
		}
	}
}

// copy asks for the page and writes its files. What only the copy before had goes.
func (e *export) copy(ctx context.Context) (int, error) {
	if err := e.own(); err != nil {
		return 0, err
	}
	var list statuspage.Listing
	if err := e.client.Get(ctx, statusPagesPath, nil, &list); err != nil {
		return 0, err
	}
	base := e.base
	for _, p := range list.Pages {
		if p.Name == e.page && base == "" {
			base = p.URL
		}
	}
	if base == "" {
		return 0, command.Usage(fmt.Errorf("the page %s has no url: give --base, the address at which readers reach the copy", e.page))
	}
	var v statuspage.View
	if err := e.client.Get(ctx, statusPagesPath+"/pages/"+url.PathEscape(e.page), nil, &v); err != nil {
		return 0, err
	}
	files, err := site.Build(v, site.Options{Base: strings.TrimSuffix(base, "/") + "/", Static: true})
	if err != nil {
		return 0, err
	}
	return len(files), e.write(files)
}

// mark is in every page of ours.
const mark = `<meta name="generator" content="Signalbox">`

// own refuses a folder that holds something else.
func (e *export) own() error {
	entries, err := os.ReadDir(e.to)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(e.to, "index.html"))
	if err != nil || !bytes.Contains(text, []byte(mark)) {
		return fmt.Errorf("%s holds something else than a copy of a status page: name another folder, or an empty one", e.to)
	}
	return nil
}

// write puts the first page down last: what it links to is there then.
func (e *export) write(files map[string]site.File) error {
	paths := slices.Sorted(maps.Keys(files))
	const first = "index.html"
	paths = append(slices.DeleteFunc(paths, func(p string) bool { return p == first }), first)
	for _, path := range paths {
		if !filepath.IsLocal(filepath.FromSlash(path)) {
			return fmt.Errorf("the server names a file outside the folder, %q: nothing of it is written", path)
		}
	}
	for _, path := range paths {
		at := filepath.Join(e.to, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil { //nolint:gosec // a web server reads it
			return err
		}
		if err := atomicfile.WriteBytes(at, 0o644, files[path].Body); err != nil {
			return err
		}
	}
	old, err := filepath.Glob(filepath.Join(e.to, "incidents", "*", first))
	if err != nil {
		return err
	}
	for _, at := range old {
		if _, still := files["incidents/"+filepath.Base(filepath.Dir(at))+"/"+first]; still {
			continue
		}
		if err := errors.Join(os.Remove(at), os.Remove(filepath.Dir(at))); err != nil {
			return err
		}
	}
	return nil
}
