package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
)

// ruleEvent is a payload of deployment_protection_rule.
type ruleEvent struct {
	Action       string      `json:"action"`
	Environment  string      `json:"environment"`
	Callback     string      `json:"deployment_callback_url"`
	Deployment   *deployment `json:"deployment"`
	Repository   repository  `json:"repository"`
	Installation struct {
		ID int64 `json:"id"`
	} `json:"installation"`
	Sender struct {
		Login string `json:"login"`
	} `json:"sender"`
}

func (h *Hook) deployed(ctx context.Context, body []byte) (hook.Answer, error) {
	d, ignored, err := h.marker(body)
	if err != nil || ignored != "" {
		return hook.Ignored(ignored), err
	}
	return h.kit.Mark(ctx, "github", d)
}

func (h *Hook) protect(ctx context.Context, body []byte, keys []string) (hook.Answer, error) {
	e, callback, err := h.parseRule(body)
	if err != nil {
		return hook.Answer{}, err
	}
	if e.Action != "requested" {
		return hook.Ignored(fmt.Sprintf("action %q is of no use here", e.Action)), nil
	}
	d, err := h.kit.Decide(ctx, model.GateRequest{
		Service: h.service(e.Repository), Environment: h.environment(e.Environment), Version: h.version(*e.Deployment), Actor: "github:" + e.Sender.Login,
	})
	if err != nil {
		return hook.Answer{}, err
	}
	if err := h.kit.Reply(hook.Reply{
		Hook: "github", Decision: d, Target: e.Repository.FullName + " deployment " + strconv.FormatInt(e.Deployment.ID, 10) + " to " + e.Environment,
		Send:   func(ctx context.Context) (outcall.Response, error) { return h.review(ctx, e, callback, d) },
		Failed: func() { h.replay.Forget(keys...) }, // a redelivery may try again
	}); err != nil {
		return hook.Answer{}, err
	}
	return hook.Answer{Status: http.StatusAccepted, Body: h.kit.VerdictOf(d), Outcome: hook.OutcomeDecided}, nil
}

func (h *Hook) parseRule(body []byte) (e ruleEvent, callback *url.URL, err error) {
	if err := hook.Decode(body, &e); err != nil {
		return e, nil, err
	}
	switch {
	case e.Action == "":
		return e, nil, hook.Missing("action")
	case e.Environment == "":
		return e, nil, hook.Missing("environment")
	case e.Deployment == nil || e.Deployment.ID == 0:
		return e, nil, hook.Missing("deployment.id")
	case h.version(*e.Deployment) == "":
		return e, nil, hook.Missing("deployment." + h.cfg.Version)
	case e.Repository.Name == "" || e.Repository.FullName == "":
		return e, nil, hook.Missing("repository.full_name")
	case e.Callback == "":
		return e, nil, hook.Missing("deployment_callback_url")
	case h.cfg.TokenFile == "" && e.Installation.ID <= 0:
		return e, nil, hook.Missing("installation.id")
	}
	callback, err = outcall.Below(h.base, e.Callback)
	if err != nil {
		return e, nil, hook.Bad("deployment_callback_url: %s", err)
	}
	rest := strings.TrimPrefix(callback.Path, strings.TrimSuffix(h.base.Path, "/"))
	m := regexp.MustCompile(`^/repos/([^/]+/[^/]+)/actions/runs/[0-9]+/deployment_protection_rule$`).FindStringSubmatch(rest)
	if m == nil || !strings.EqualFold(m[1], e.Repository.FullName) || callback.RawQuery != "" {
		return e, nil, hook.Bad("deployment_callback_url: is not the review endpoint of %s", e.Repository.FullName)
	}
	return e, callback, nil
}

// maxComment is what GitHub takes.
const maxComment = 1024

// review approves or rejects the deployment.
func (h *Hook) review(ctx context.Context, e ruleEvent, callback *url.URL, d model.GateDecision) (outcall.Response, error) {
	token, err := h.token(ctx, e.Installation.ID, e.Repository.ID)
	if err != nil {
		return outcall.Response{}, err
	}
	state := "rejected"
	if d.Verdict == model.VerdictAllow {
		state = "approved"
	}
	body, err := json.Marshal(map[string]string{"environment_name": e.Environment, "state": state, "comment": comment(d, h.kit.Link(d))})
	if err != nil {
		return outcall.Response{}, fmt.Errorf("encode review: %w", err)
	}
	return h.api.Do(ctx, outcall.Request{
		Method: http.MethodPost, URL: callback, Header: headers(token.Text()), Body: body, Idempotent: true,
	})
}

func headers(bearer string) http.Header {
	return http.Header{
		"Accept": {"application/vnd.github+json"}, "X-Github-Api-Version": {"2022-11-28"},
		"Content-Type": {"application/json"}, "Authorization": {"Bearer " + bearer}, "User-Agent": {"signalbox"},
	}
}

// comment is the decision in Markdown.
func comment(d model.GateDecision, link string) string {
	tail := "\nDecision `" + d.ID + "`"
	if link != "" {
		tail = "\n[Evidence](" + link + ")"
	}
	text := d.Summary + "\n"
	for _, r := range d.Reasons {
		line := "- " + r.Message
		if r.Cure != "" {
			line += " → " + r.Cure
		}
		if len([]rune(text))+len([]rune(line))+len([]rune(tail))+1 > maxComment {
			break
		}
		text += line + "\n"
	}
	runes := []rune(text)
	return string(runes[:min(len(runes), maxComment-len([]rune(tail)))]) + tail
}
