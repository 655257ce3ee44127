package gitlab

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/signalbox-project/signalbox/internal/gate/hooks/hook"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/platform/outcall"
	"github.com/signalbox-project/signalbox/internal/platform/secretfile"
)

type label struct {
	Title string `json:"title"`
}

// mergeRequest is what GitLab sends to an external status check.
type mergeRequest struct {
	Kind string `json:"object_kind"`
	User struct {
		Username string `json:"username"`
	} `json:"user"`
	Project project `json:"project"`
	Request struct {
		IID        int64  `json:"iid"`
		State      string `json:"state"`
		Target     int64  `json:"target_project_id"`
		LastCommit struct {
			ID string `json:"id"`
		} `json:"last_commit"`
	} `json:"object_attributes"`
	Labels []label `json:"labels"`
	Check  struct {
		ID int64 `json:"id"`
	} `json:"external_approval_rule"`
}

func (h *Hook) statusCheck(r *http.Request, body []byte) (hook.Answer, error) {
	secret, err := secretfile.Read(h.cfg.StatusCheckSecretFile)
	if err != nil {
		return hook.Answer{}, err
	}
	if !signed(secret, body, r.Header.Get("X-Gitlab-Signature")) {
		return hook.Answer{}, hook.Unauthorized("X-Gitlab-Signature: is not the HMAC-SHA256 of the body with the shared secret of this status check")
	}
	m, err := parse(body)
	if err != nil {
		return hook.Answer{}, err
	}
	if m.Request.State != "opened" {
		return hook.Ignored(fmt.Sprintf("the merge request is %s", m.Request.State)), nil
	}
	d, err := h.kit.Decide(r.Context(), h.question(m))
	if err != nil {
		return hook.Answer{}, err
	}
	if err := h.kit.Reply(hook.Reply{
		Hook: "gitlab_status_check", Decision: d,
		Target: fmt.Sprintf("%s!%d status check %d", m.Project.Path, m.Request.IID, m.Check.ID),
		Send:   func(ctx context.Context) (outcall.Response, error) { return h.respond(ctx, m, d.Verdict) },
	}); err != nil {
		return hook.Answer{}, err
	}
	return hook.Answer{Status: http.StatusAccepted, Body: h.kit.VerdictOf(d), Outcome: hook.OutcomeDecided}, nil
}

func signed(secret secretfile.Secret, body []byte, signature string) bool {
	given, err := hex.DecodeString(signature)
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, secret.Bytes())
	mac.Write(body)
	return hmac.Equal(mac.Sum(nil), given)
}

func parse(body []byte) (mergeRequest, error) {
	var m mergeRequest
	if err := hook.Decode(body, &m); err != nil {
		return m, err
	}
	switch {
	case m.Kind != "merge_request":
		return m, hook.Bad("object_kind: must be merge_request, got %q", m.Kind)
	case m.Project.Path == "":
		return m, hook.Missing("project.path_with_namespace")
	case m.Request.IID <= 0:
		return m, hook.Missing("object_attributes.iid")
	case m.Request.State == "":
		return m, hook.Missing("object_attributes.state")
	case m.Request.Target <= 0:
		return m, hook.Missing("object_attributes.target_project_id")
	case m.Request.LastCommit.ID == "":
		return m, hook.Missing("object_attributes.last_commit.id")
	case m.Check.ID <= 0:
		return m, hook.Missing("external_approval_rule.id")
	}
	return m, nil
}

func (h *Hook) question(m mergeRequest) model.GateRequest {
	critical := h.cfg.CriticalLabel != "" && slices.Contains(m.Labels, label{h.cfg.CriticalLabel})
	return model.GateRequest{
		Service: h.service(m.Project), Environment: h.cfg.Environment, Version: m.Request.LastCommit.ID,
		Critical: critical, Actor: "gitlab:" + m.User.Username,
	}
}

// respond calls the status-check-response API.
func (h *Hook) respond(ctx context.Context, m mergeRequest, v model.Verdict) (outcall.Response, error) {
	token, err := secretfile.Read(h.cfg.TokenFile)
	if err != nil {
		return outcall.Response{}, err
	}
	status := "failed"
	if v == model.VerdictAllow {
		status = "passed"
	}
	target := h.base.JoinPath("api/v4/projects", strconv.FormatInt(m.Request.Target, 10), "merge_requests", strconv.FormatInt(m.Request.IID, 10), "status_check_responses")
	form := url.Values{
		"sha": {m.Request.LastCommit.ID}, "external_status_check_id": {strconv.FormatInt(m.Check.ID, 10)}, "status": {status},
	}
	return h.api.Do(ctx, outcall.Request{
		Method: http.MethodPost, URL: target, Body: []byte(form.Encode()), Idempotent: true,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Private-Token": {token.Text()}},
	})
}
