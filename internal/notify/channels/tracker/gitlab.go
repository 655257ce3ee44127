package tracker

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
)

// GitLab is channels.gitlab.
type GitLab struct {
	Config `yaml:",inline"`
}

// NewGitLab makes the channel; an address is the path of a project.
func NewGitLab(c *GitLab, d kind.Deps) (*Channel, error) {
	return newChannel("gitlab", c.Config, d, gitlab{}, func(h http.Header, token string) { h.Set("Private-Token", token) })
}

type gitlab struct{}

const gitlabURL = "https://gitlab.com"

var projectRE = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+$`)

func (gitlab) place(address string) error {
	if !projectRE.MatchString(address) || len(address) > 500 {
		return fmt.Errorf("%q is no project: give its path, group/project", address)
	}
	return nil
}

func (gitlab) do(ctx context.Context, c *caller, method, place, path string, in, out any) error {
	return c.do(ctx, method, gitlabURL, "/api/v4/projects/"+url.PathEscape(place)+"/issues"+path, nil, in, out)
}

func (g gitlab) find(ctx context.Context, c *caller, place, label string) (string, error) {
	var found []struct {
		IID int `json:"iid"`
	}
	err := g.do(ctx, c, http.MethodGet, place, "?"+url.Values{"labels": {label}, "state": {"opened"}, "per_page": {"1"}}.Encode(), nil, &found)
	if err != nil || len(found) == 0 {
		return "", err
	}
	return strconv.Itoa(found[0].IID), nil
}

func (g gitlab) open(ctx context.Context, c *caller, place string, i issue) (string, error) {
	var made struct {
		IID int `json:"iid"`
	}
	err := g.do(ctx, c, http.MethodPost, place, "", map[string]any{"title": i.title, "description": i.text.markdown(), "labels": strings.Join(i.labels, ",")}, &made)
	return strconv.Itoa(made.IID), err
}

func (g gitlab) comment(ctx context.Context, c *caller, place, id string, t text) error {
	return g.do(ctx, c, http.MethodPost, place, "/"+id+"/notes", map[string]any{"body": t.markdown()}, nil)
}

func (g gitlab) close(ctx context.Context, c *caller, place, id string) error {
	return g.do(ctx, c, http.MethodPut, place, "/"+id, map[string]any{"state_event": "close"}, nil)
}
