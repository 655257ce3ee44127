package tracker

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
)

// GitHub is channels.github.
type GitHub struct {
	Config `yaml:",inline"`
}

// NewGitHub makes the channel; an address is owner/repository.
func NewGitHub(c *GitHub, d kind.Deps) (*Channel, error) {
	return newChannel("github", c.Config, d, github{}, func(h http.Header, token string) { h.Set("Authorization", "Bearer "+token) })
}

type github struct{}

const githubURL = "https://api.github.com"

var repositoryRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{0,99}[A-Za-z0-9_-]$`)

func (github) place(address string) error {
	if !repositoryRE.MatchString(address) {
		return fmt.Errorf("%q is no repository: give owner/name", address)
	}
	return nil
}

func (github) do(ctx context.Context, c *caller, method, place, path string, in, out any) error {
	h := http.Header{"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"}}
	return c.do(ctx, method, githubURL, "/repos/"+place+"/issues"+path, h, in, out)
}

func (g github) find(ctx context.Context, c *caller, place, label string) (string, error) {
	var found []struct {
		Number int `json:"number"`
	}
	err := g.do(ctx, c, http.MethodGet, place, "?"+url.Values{"labels": {label}, "state": {"open"}, "per_page": {"1"}}.Encode(), nil, &found)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return strconv.Itoa(found[0].Number), nil
}

func (g github) open(ctx context.Context, c *caller, place string, i issue) (string, error) {
	var made struct {
		Number int `json:"number"`
	}
	err := g.do(ctx, c, http.MethodPost, place, "", map[string]any{"title": i.title, "body": i.text.markdown(), "labels": i.labels}, &made)
	return strconv.Itoa(made.Number), err
}

func (g github) comment(ctx context.Context, c *caller, place, id string, t text) error {
	return g.do(ctx, c, http.MethodPost, place, "/"+id+"/comments", map[string]any{"body": t.markdown()}, nil)
}

func (g github) close(ctx context.Context, c *caller, place, id string) error {
	return g.do(ctx, c, http.MethodPatch, place, "/"+id, map[string]any{"state": "closed", "state_reason": "completed"}, nil)
}
