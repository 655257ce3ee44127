package people

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/fit"
	"github.com/signalbox-project/signalbox/internal/notify/courier"
	"github.com/signalbox-project/signalbox/internal/store"
)

// Channels carry messages to people; courier.Courier does.
type Channels interface {
	notify.Courier
	States() []courier.State
}

// ChannelsResponse is how the channels fare.
type ChannelsResponse struct {
	Channels []courier.State `json:"channels" doc:"those that the configuration sets up, by name"`
}

// ChannelTestRequest says where a drill goes.
type ChannelTestRequest struct {
	Address string `json:"address" minLength:"1" maxLength:"500" doc:"as the kind of channel writes it: a mail address, a number, a receiver's name" example:"ada@example.com"`
}

type channelTestInput struct {
	Kind string `path:"kind" maxLength:"100" doc:"a channel of the configuration" example:"email"`
	Body ChannelTestRequest
}

// ChannelTestResponse is what became of a drill.
type ChannelTestResponse struct {
	Delivered bool             `json:"delivered" doc:"whether the service took the message"`
	ID        string           `json:"id,omitempty" doc:"what the service calls the message; absent where it names none"`
	Note      string           `json:"note,omitempty" doc:"what the service said"`
	Error     string           `json:"error,omitempty" doc:"why it was not delivered"`
	Tries     []model.Delivery `json:"tries"`
}

// testWithin is how long a drill is tried.
const testWithin = 25 * time.Second

// Drills cost money with some services, and annoy whoever gets them: this many, and one more every ten seconds.
const drills, drillEvery = 10, 10 * time.Second

func (h *handlers) registerChannels() {
	op := func(id, method, path string, p access.Permission, summary string) operation.Operation {
		return operation.Operation{ID: id, Method: method, Path: path, Tag: "oncall", Permission: p, Summary: summary, Served: h.deps.Channels != nil, Room: "channels"}
	}
	operation.Register(h.Registry, op("listChannels", "", "/channels", access.OnCallRead, "Channels to people, and how they fare"),
		func(context.Context, *struct{}) (ChannelsResponse, error) {
			return ChannelsResponse{Channels: h.deps.Channels.States()}, nil
		})
	test := op("testChannel", http.MethodPost, "/channels/{kind}/test", access.OnCallSwap, "Send a drill to an address, and see what becomes of it")
	test.Description = "The answer comes when the service took the message or refused it, after 25 s at most."
	operation.Register(h.Registry, test, h.testChannel(rate.NewLimiter(rate.Every(drillEvery), drills)))
}

func (h *handlers) testChannel(limit *rate.Limiter) func(context.Context, *channelTestInput) (ChannelTestResponse, error) {
	return func(ctx context.Context, in *channelTestInput) (ChannelTestResponse, error) {
		if !limit.AllowN(h.Now(), 1) {
			return ChannelTestResponse{}, fmt.Errorf("too many drills: %w", store.ErrOverloaded)
		}
		known := false
		for _, name := range h.deps.Channels.Channels() {
			known = known || name == in.Kind
		}
		if !known {
			return ChannelTestResponse{}, operation.BadRequest("kind: there is no channel %q: set it up below `channels`; there are: %s",
				fit.Runes(fit.Line(in.Kind), 50), strings.Join(h.deps.Channels.Channels(), ", "))
		}
		h.Audit(ctx, model.AuditEntry{Action: "channel.test", Subject: in.Kind, Details: map[string]string{"address": in.Body.Address}})
		ctx, cancel := context.WithTimeout(ctx, testWithin)
		defer cancel()
		out := ChannelTestResponse{Tries: []model.Delivery{}}
		receipt, err := h.deps.Channels.Deliver(ctx, h.drill(ctx, in), func(d model.Delivery) { out.Tries = append(out.Tries, d) })
		if out.Delivered = err == nil; err != nil {
			out.Error = err.Error()
		}
		out.ID, out.Note = receipt.ID, receipt.Note
		return out, nil
	}
}

// drill is the message.
func (h *handlers) drill(ctx context.Context, in *channelTestInput) notify.Message {
	by := access.SubjectOf(ctx, "")
	if by == "" {
		by = "somebody"
	}
	m := notify.Message{
		DedupKey: fmt.Sprintf("drill/%s/%d", in.Kind, h.Now().UnixNano()), Kind: notify.Drill, To: notify.Target{Channel: in.Kind, Address: in.Body.Address},
		Title: "Drill: messages by " + in.Kind + " arrive here", Text: "Sent by " + by + " to see whether pages would arrive. There is nothing to do.", Time: h.Now(),
	}
	if h.deps.External != nil {
		m.Links = []notify.Link{{Text: "Signalbox", URL: h.deps.External.String()}}
	}
	return m
}
