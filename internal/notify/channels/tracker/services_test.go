package tracker_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/tracker"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

// githubAPI is what docs.github.com documents of issues, version 2022-11-28.
func githubAPI() *service {
	steps := regexp.MustCompile(`^(POST|PATCH) /repos/shop/cart/issues/([0-9]+)(/comments)?$`)
	return &service{
		name: "github", address: "shop/cart",
		make: func(base string, key secretfile.Key, d kind.Deps) (notify.Channel, error) {
			return tracker.NewGitHub(&tracker.GitHub{Config: tracker.Config{Account: kind.Account{Token: key, URL: base}, Close: true, Labels: []string{"alert"}}}, d)
		},
		authorized: func(h http.Header) bool {
			return h.Get("Authorization") == "Bearer "+token && h.Get("Accept") == "application/vnd.github+json" && h.Get("X-GitHub-Api-Version") == "2022-11-28"
		},
		serve: func(d *desk, call, query string, in map[string]any) (any, error) {
			switch call {
			case "GET /repos/shop/cart/issues":
				q, _ := url.ParseQuery(query)
				if q.Get("state") != "open" || !labelRE.MatchString(q.Get("labels")) {
					return nil, errors.New(query)
				}
				out := []any{}
				for _, t := range d.found(q.Get("labels")) {
					out = append(out, map[string]any{"number": d.number(t)})
				}
				return out, nil
			case "POST /repos/shop/cart/issues":
				name, err := title(in["title"], 256)
				label, bad := marker(texts(in["labels"]))
				d.issues = append(d.issues, &ticket{title: name, label: label})
				return map[string]any{"number": len(d.issues)}, errors.Join(err, bad, harmless(in["body"]), only(in, "title", "body", "labels"))
			}
			m := steps.FindStringSubmatch(call)
			if m == nil {
				return nil, errors.New("Not Found " + call)
			}
			t, err := d.ticket(m[2])
			if err != nil {
				return nil, err
			}
			if m[1] == "POST" && m[3] != "" {
				t.comments = append(t.comments, fmt.Sprint(in["body"]))
				return map[string]any{}, errors.Join(harmless(in["body"]), only(in, "body"))
			}
			if t.closed = true; m[1] != "PATCH" || in["state"] != "closed" || in["state_reason"] != "completed" {
				return nil, errors.New(call)
			}
			return map[string]any{}, nil
		},
	}
}

// gitlabAPI is what docs.gitlab.com documents of issues and notes, version 4.
func gitlabAPI() *service {
	steps := regexp.MustCompile(`^(POST|PUT) /api/v4/projects/shop%2Fcart/issues/([0-9]+)(/notes)?$`)
	return &service{
		name: "gitlab", address: "shop/cart",
		make: func(base string, key secretfile.Key, d kind.Deps) (notify.Channel, error) {
			return tracker.NewGitLab(&tracker.GitLab{Config: tracker.Config{Account: kind.Account{Token: key, URL: base}, Close: true}}, d)
		},
		authorized: func(h http.Header) bool { return h.Get("PRIVATE-TOKEN") == token },
		serve: func(d *desk, call, query string, in map[string]any) (any, error) {
			switch call {
			case "GET /api/v4/projects/shop%2Fcart/issues":
				q, _ := url.ParseQuery(query)
				if q.Get("state") != "opened" || !labelRE.MatchString(q.Get("labels")) {
					return nil, errors.New(query)
				}
				out := []any{}
				for _, t := range d.found(q.Get("labels")) {
					out = append(out, map[string]any{"iid": d.number(t)})
				}
				return out, nil
			case "POST /api/v4/projects/shop%2Fcart/issues":
				name, err := title(in["title"], 255)
				label, bad := marker(strings.Split(fmt.Sprint(in["labels"]), ","))
				d.issues = append(d.issues, &ticket{title: name, label: label})
				return map[string]any{"iid": len(d.issues)}, errors.Join(err, bad, harmless(in["description"]), only(in, "title", "description", "labels"))
			}
			m := steps.FindStringSubmatch(call)
			if m == nil {
				return nil, errors.New("Not Found " + call)
			}
			t, err := d.ticket(m[2])
			if err != nil {
				return nil, err
			}
			if m[1] == "POST" && m[3] != "" {
				t.comments = append(t.comments, fmt.Sprint(in["body"]))
				return map[string]any{}, errors.Join(harmless(in["body"]), only(in, "body"))
			}
			if t.closed = true; m[1] != "PUT" || in["state_event"] != "close" {
				return nil, errors.New(call)
			}
			return map[string]any{}, nil
		},
	}
}

// document checks Atlassian's document format: only text that is no markup, and links of the web.
func document(v any) (string, error) {
	doc, _ := v.(map[string]any)
	text, _ := json.Marshal(v)
	if doc["type"] != "doc" || doc["version"] != 1.0 || len(text) > 200_000 {
		return "", errors.New("no document")
	}
	content, _ := doc["content"].([]any)
	for i, c := range content {
		block, _ := c.(map[string]any)
		want := "paragraph"
		if i == 0 {
			want = "codeBlock"
		}
		inner, _ := block["content"].([]any)
		if block["type"] != want || len(inner) != 1 {
			return "", fmt.Errorf("block %d: %v", i, block["type"])
		}
		run := inner[0].(map[string]any)
		if s, _ := run["text"].(string); run["type"] != "text" || s == "" || len([]rune(s)) > 32_767 {
			return "", errors.New("an empty or long text")
		}
		if i > 0 && !strings.Contains(fmt.Sprint(run["marks"]), "map[href:https://") {
			return "", fmt.Errorf("marks %v", run["marks"])
		}
	}
	return string(text), nil
}

// jiraAPI is what developer.atlassian.com documents of the REST API, version 3.
func jiraAPI() *service {
	steps := regexp.MustCompile(`^(GET|POST) /rest/api/3/issue/(OPS-[0-9]+)(/comment|/transitions)?$`)
	query := regexp.MustCompile(`^project = "OPS" AND labels = "(signalbox-[0-9a-f]{20})" AND statusCategory != Done$`)
	return &service{
		name: "jira", address: "OPS",
		make: func(base string, key secretfile.Key, d kind.Deps) (notify.Channel, error) {
			return tracker.NewJira(&tracker.Jira{Config: tracker.Config{Account: kind.Account{Token: key, URL: base}, Close: true}, User: "bot@example.org"}, d)
		},
		authorized: func(h http.Header) bool {
			return h.Get("Authorization") == "Basic "+base64.StdEncoding.EncodeToString([]byte("bot@example.org:"+token))
		},
		serve: func(d *desk, call, _ string, in map[string]any) (any, error) {
			switch call {
			case "POST /rest/api/3/search/jql":
				m := query.FindStringSubmatch(fmt.Sprint(in["jql"]))
				if m == nil {
					return nil, fmt.Errorf("jql %v", in["jql"])
				}
				out := []any{}
				for _, t := range d.found(m[1]) {
					out = append(out, map[string]any{"key": fmt.Sprint("OPS-", d.number(t))})
				}
				return map[string]any{"issues": out}, only(in, "jql", "maxResults", "fields")
			case "POST /rest/api/3/issue":
				f, _ := in["fields"].(map[string]any)
				name, err := title(f["summary"], 254)
				label, bad := marker(texts(f["labels"]))
				_, odd := document(f["description"])
				d.issues = append(d.issues, &ticket{title: name, label: label})
				return map[string]any{"key": fmt.Sprint("OPS-", len(d.issues))}, errors.Join(err, bad, odd, only(f, "project", "issuetype", "summary", "description", "labels"))
			}
			m := steps.FindStringSubmatch(call)
			if m == nil {
				return nil, errors.New("Not Found " + call)
			}
			t, err := d.ticket(m[2])
			if err != nil {
				return nil, err
			}
			return jiraStep(t, m[1]+m[3], in)
		},
	}
}

func jiraStep(t *ticket, step string, in map[string]any) (any, error) {
	category := map[string]any{"statusCategory": map[string]any{"key": map[bool]string{true: "done", false: "new"}[t.closed]}}
	switch step {
	case "GET":
		return map[string]any{"fields": map[string]any{"status": category}}, nil
	case "POST/comment":
		text, err := document(in["body"])
		t.comments = append(t.comments, text)
		return map[string]any{"id": "1"}, err
	case "GET/transitions":
		list := []any{map[string]any{"id": "11", "name": "Start", "to": map[string]any{"statusCategory": map[string]any{"key": "indeterminate"}}}}
		if !t.closed {
			list = append(list, map[string]any{"id": "31", "name": "Done", "to": map[string]any{"statusCategory": map[string]any{"key": "done"}}})
		}
		return map[string]any{"transitions": list}, nil
	case "POST/transitions":
		if t.closed = true; fmt.Sprint(in["transition"]) != "map[id:31]" {
			return nil, fmt.Errorf("transition %v", in["transition"])
		}
		return map[string]any{}, nil
	}
	return nil, errors.New(step)
}
