package tracker

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
)

// Jira is channels.jira.
type Jira struct {
	Config `yaml:",inline"`
	// User is the e-mail of whose token it is.
	User string `yaml:"user"`
	// IssueType is that of the issues; Task by default.
	IssueType string `yaml:"issue_type"`
	// CloseTransition is the name of the transition that closes an issue; by default the first that leads to a status of the category Done.
	CloseTransition string `yaml:"close_transition"`
}

// Validate lists what is wrong; each message begins with the field's path.
func (c *Jira) Validate() []error {
	errs := c.Config.Validate()
	if c.URL == "" {
		errs = append(errs, errors.New("url: must be given, such as https://example.atlassian.net"))
	}
	if c.User == "" || strings.Contains(c.User, ":") {
		errs = append(errs, fmt.Errorf("user: must be the e-mail of whose token it is, got %q", c.User))
	}
	return errs
}

// NewJira makes the channel; an address is the key of a project.
func NewJira(c *Jira, d kind.Deps) (*Channel, error) {
	return newChannel("jira", c.Config, d, jira{c.IssueType, c.CloseTransition}, func(h http.Header, token string) {
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(c.User+":"+token)))
	})
}

type jira struct{ issueType, transition string }

var keyRE = regexp.MustCompile(`^[A-Z][A-Z0-9_]{1,99}$`)

func (jira) place(address string) error {
	if !keyRE.MatchString(address) {
		return fmt.Errorf("%q is no project: give its key, such as OPS", address)
	}
	return nil
}

func (jira) do(ctx context.Context, c *caller, method, path string, in, out any) error {
	return c.do(ctx, method, "", "/rest/api/3"+path, nil, in, out)
}

func (j jira) find(ctx context.Context, c *caller, place, label string) (string, error) {
	var found struct {
		Issues []struct {
			Key string `json:"key"`
		} `json:"issues"`
	}
	query := fmt.Sprintf(`project = "%s" AND labels = "%s" AND statusCategory != Done`, place, label)
	err := j.do(ctx, c, http.MethodPost, "/search/jql", map[string]any{"jql": query, "maxResults": 1, "fields": []string{"summary"}}, &found)
	if err != nil || len(found.Issues) == 0 {
		return "", err
	}
	return found.Issues[0].Key, nil
}

func (j jira) open(ctx context.Context, c *caller, place string, i issue) (string, error) {
	var made struct {
		Key string `json:"key"`
	}
	err := j.do(ctx, c, http.MethodPost, "/issue", map[string]any{"fields": map[string]any{
		"project": map[string]any{"key": place}, "issuetype": map[string]any{"name": cmp.Or(j.issueType, "Task")},
		"summary": i.title, "description": i.text.adf(), "labels": i.labels,
	}}, &made)
	return made.Key, err
}

func (j jira) comment(ctx context.Context, c *caller, _, id string, t text) error {
	return j.do(ctx, c, http.MethodPost, "/issue/"+id+"/comment", map[string]any{"body": t.adf()}, nil)
}

// close takes the transition that the workflow has; an issue that is done has none that is needed.
func (j jira) close(ctx context.Context, c *caller, _, id string) error {
	var all struct {
		Transitions []struct {
			ID   string `json:"id"`
			Name string `json:"name"`
			To   struct {
				Category struct {
					Key string `json:"key"`
				} `json:"statusCategory"`
			} `json:"to"`
		} `json:"transitions"`
	}
	if err := j.do(ctx, c, http.MethodGet, "/issue/"+id+"/transitions", nil, &all); err != nil {
		return err
	}
	for _, t := range all.Transitions {
		if j.transition != "" && t.Name == j.transition || j.transition == "" && t.To.Category.Key == "done" {
			return j.do(ctx, c, http.MethodPost, "/issue/"+id+"/transitions", map[string]any{"transition": map[string]any{"id": t.ID}}, nil)
		}
	}
	var now struct {
		Fields struct {
			Status struct {
				Category struct {
					Key string `json:"key"`
				} `json:"statusCategory"`
			} `json:"status"`
		} `json:"fields"`
	}
	if err := j.do(ctx, c, http.MethodGet, "/issue/"+id+"?fields=status", nil, &now); err != nil || now.Fields.Status.Category.Key == "done" {
		return err
	}
	return notify.Refused(fmt.Errorf("jira: %s has no transition that closes it; name one in channels.jira.close_transition", id))
}
