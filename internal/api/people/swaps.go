package people

import (
	"context"
	"net/http"
	"time"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/oncall"
)

// SwapsResponse lists swaps.
type SwapsResponse struct {
	Swaps []oncall.Swap `json:"swaps" doc:"of shifts that are not over, and of the last 40 days; the latest first"`
}

// SwapRequest asks somebody to take a shift.
type SwapRequest struct {
	Schedule string         `json:"schedule" minLength:"1" maxLength:"200"`
	From     string         `json:"from" minLength:"1" maxLength:"200" doc:"whose shift it is, by the name in oncall_files"`
	To       string         `json:"to,omitempty" maxLength:"200" doc:"who is asked; absent: anybody may take it"`
	Start    time.Time      `json:"start" doc:"when it begins, or a moment of the shift where end is absent"`
	End      time.Time      `json:"end,omitzero" doc:"absent: that of the shift"`
	Return   *oncall.Return `json:"in_return,omitempty" doc:"a shift of who is asked, in return"`
	Reason   string         `json:"reason,omitempty" maxLength:"500"`
	By       string         `json:"by,omitempty" maxLength:"200" doc:"who proposes it; with authentication it is who is logged in"`
}

// SwapAnswerRequest answers a swap.
type SwapAnswerRequest struct {
	Answer string `json:"answer" enum:"accept,decline,withdraw"`
	By     string `json:"by,omitempty" maxLength:"200" doc:"who answers, by the name in oncall_files; with authentication it is who is logged in"`
	Note   string `json:"note,omitempty" maxLength:"500"`
}

type swapInput struct{ Body SwapRequest }

type swapAnswerInput struct {
	ID   string `path:"id" maxLength:"200"`
	Body SwapAnswerRequest
}

func (h *handlers) registerSwaps() {
	operation.Register(h.Registry, h.operation("listSwaps", "", "/oncall/swaps", access.OnCallRead, "Shifts that people ask others to take"),
		func(ctx context.Context, _ *struct{}) (SwapsResponse, error) {
			list, err := h.deps.OnCall.Swaps(ctx)
			return SwapsResponse{Swaps: list}, err
		})
	propose := h.operation("proposeSwap", http.MethodPost, "/oncall/swaps", access.OnCallSwap, "Ask somebody to take a shift, perhaps for one of theirs")
	propose.Status = http.StatusCreated
	propose.Description = "Who is asked is told by the contact of theirs that wakes least. Nothing changes until they accept."
	operation.Register(h.Registry, propose, h.propose)
	answer := h.operation("answerSwap", http.MethodPost, "/oncall/swaps/{id}/answer", access.OnCallSwap, "Accept, decline or withdraw a swap")
	answer.Description = "Who is asked accepts and declines, and whose shift it is withdraws. To accept makes the overrides, all or none."
	operation.Register(h.Registry, answer, h.answer)
}

func (h *handlers) propose(ctx context.Context, in *swapInput) (oncall.Swap, error) {
	b := in.Body
	s, err := h.deps.OnCall.Propose(ctx, oncall.Swap{
		Schedule: b.Schedule, From: b.From, To: b.To, Start: b.Start, End: b.End, Return: b.Return, Reason: b.Reason, By: access.SubjectOf(ctx, b.By),
	})
	if err == nil {
		h.Audit(ctx, model.AuditEntry{Actor: b.By, Action: "oncall.swap.propose", Subject: s.Schedule, Details: swapDetails(s)})
	}
	return s, err
}

func (h *handlers) answer(ctx context.Context, in *swapAnswerInput) (oncall.Swap, error) {
	state := map[string]oncall.SwapState{"accept": oncall.SwapAccepted, "decline": oncall.SwapDeclined, "withdraw": oncall.SwapWithdrawn}[in.Body.Answer]
	s, err := h.deps.OnCall.Decide(ctx, in.ID, state, access.SubjectOf(ctx, in.Body.By), in.Body.Note)
	if err == nil {
		h.Audit(ctx, model.AuditEntry{Actor: in.Body.By, Action: "oncall.swap." + in.Body.Answer, Subject: s.Schedule, Details: swapDetails(s)})
	}
	return s, err
}

func swapDetails(s oncall.Swap) map[string]string {
	out := map[string]string{"id": s.ID, "from": s.From, "to": s.To, "start": s.Start.Format(time.RFC3339), "end": s.End.Format(time.RFC3339), "reason": s.Reason}
	if s.Return != nil {
		out["in_return"] = s.Return.Schedule + " " + s.Return.Start.Format(time.RFC3339) + " to " + s.Return.End.Format(time.RFC3339)
	}
	return out
}
