package scrape

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"

	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/model/labels"
)

// Section is the scrape_configs part of a configuration file, as text, so that errors
// can name its lines.
type Section struct {
	File string // for messages
	// Line is the line of the file on which Text begins, from 1.
	Line int
	// Text is the YAML of the list below scrape_configs, indented as it stands;
	// empty means nothing is scraped.
	Text string
	// Dir is what paths inside are relative to.
	Dir string
	// ExternalLabels are added to what leaves the program (remote read, federation).
	ExternalLabels map[string]string
}

// Parse reads a section by Prometheus' own strict rules.
func Parse(s Section) (*promconfig.Config, error) {
	const key = "scrape_configs:"
	doc, shift := "", s.Line-2 // the key takes the document's first line
	switch body := strings.TrimSpace(s.Text); {
	case body == "" || body == "null" || body == "[]":
	case strings.HasPrefix(body, "["):
		doc, shift = key+" "+body, s.Line-1
	default:
		doc = key + "\n" + strings.TrimLeft(s.Text, "\n")
		shift += len(s.Text) - len(strings.TrimLeft(s.Text, "\n"))
	}
	cfg, err := promconfig.Load(doc, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, located(s.File, shift, err)
	}
	cfg.GlobalConfig.ExternalLabels = labels.FromMap(s.ExternalLabels)
	cfg.SetDirectory(s.Dir)
	if _, err := cfg.GetScrapeConfigs(); err != nil {
		return nil, located(s.File, shift, err)
	}
	return cfg, nil
}

// located moves the line numbers of a YAML error to those of the whole file.
func located(file string, shift int, err error) error {
	text := regexp.MustCompile(`\bline (\d+)`).ReplaceAllStringFunc(err.Error(), func(m string) string {
		n, convErr := strconv.Atoi(m[len("line "):])
		if convErr != nil {
			return m
		}
		return "line " + strconv.Itoa(n+shift)
	})
	if file == "" {
		return errors.New("scrape_configs: " + text)
	}
	return fmt.Errorf("%s: scrape_configs: %s", file, text)
}
