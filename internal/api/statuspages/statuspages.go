// Package statuspages serves status pages to those who publish on them: pages, what is announced, and what is announced anew.
//
// It holds no rule: the room behind Deps answers. In: requests. Out: its answers as JSON. Start reading at Deps.
package statuspages

import (
	"context"
	"net/http"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/api/operation"
	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/statuspage"
)

// Deps are the rooms behind it; what is nil answers 404.
type Deps struct {
	Room Room
	// Path is where a page is served.
	Path func(page string) string
}

// Room has pages and announcements; statuspage.Room does.
type Room interface {
	List(ctx context.Context, path func(page string) string) (statuspage.Listing, error)
	View(ctx context.Context, name string) (statuspage.View, error)
	Posts(ctx context.Context, incident string) ([]statuspage.Post, error)
	Draft(context.Context, statuspage.Announcement) (statuspage.Post, error)
	Publish(context.Context, statuspage.Announcement) (statuspage.Post, error)
	Update(ctx context.Context, id string, f statuspage.Further) (statuspage.Post, error)
	Correct(ctx context.Context, id string, c statuspage.Correction) (statuspage.Post, error)
	Withdraw(ctx context.Context, id string) (statuspage.Post, error)
}

type handlers struct {
	*operation.Registry
	deps Deps
}

// Register adds the operations.
func Register(r *operation.Registry, deps Deps) {
	h := &handlers{Registry: r, deps: deps}
	h.registerReads()
	h.registerChanges()
}

func (h *handlers) operation(id, method, path string, p access.Permission, summary string) operation.Operation {
	return operation.Operation{ID: id, Method: method, Path: "/status-pages" + path, Tag: "status pages", Permission: p, Summary: summary, Served: h.deps.Room != nil, Room: "status pages"}
}

type pageInput struct {
	Name string `path:"name" maxLength:"63"`
}

type postsInput struct {
	Incident string `query:"incident" maxLength:"200" doc:"those about this incident; all, if absent"`
}

// PostsResponse lists announcements.
type PostsResponse struct {
	Posts []statuspage.Post `json:"posts" doc:"the newest first"`
}

func (h *handlers) registerReads() {
	read := func(id, path, summary string) operation.Operation {
		return h.operation(id, "", path, access.StatusPagesRead, summary)
	}
	operation.Register(h.Registry, read("listStatusPages", "", "Status pages, and what is announced on them"), func(ctx context.Context, _ *operation.NoInput) (statuspage.Listing, error) {
		return h.deps.Room.List(ctx, h.deps.Path)
	})
	operation.Register(h.Registry, read("getStatusPage", "/pages/{name}", "What a status page shows"), func(ctx context.Context, in *pageInput) (statuspage.View, error) {
		return h.deps.Room.View(ctx, in.Name)
	})
	operation.Register(h.Registry, read("listAnnouncements", "/posts", "What was announced in the last year, with who wrote it"), func(ctx context.Context, in *postsInput) (PostsResponse, error) {
		posts, err := h.deps.Room.Posts(ctx, in.Incident)
		return PostsResponse{Posts: posts}, err
	})
}

type publishInput struct{ Body statuspage.Announcement }

type previewInput struct{ Body statuspage.Announcement }

type updateInput struct {
	ID   string `path:"id" maxLength:"50"`
	Body statuspage.Further
}

type correctInput struct {
	ID   string `path:"id" maxLength:"50"`
	Body statuspage.Correction
}

type withdrawInput struct {
	ID string `path:"id" maxLength:"50"`
	By string `query:"by" maxLength:"200" doc:"who does it, where nobody has to log in"`
}

// change registers an operation that changes an announcement, and is noted in the audit log.
func change[I any](h *handlers, op operation.Operation, action string, how func(context.Context, *I) (statuspage.Post, string, error)) {
	operation.Register(h.Registry, op, func(ctx context.Context, in *I) (statuspage.Post, error) {
		p, by, err := how(ctx, in)
		if err == nil {
			h.Audit(ctx, model.AuditEntry{Actor: by, Action: action, Subject: p.ID, Details: details(p)})
		}
		return p, err
	})
}

func details(p statuspage.Post) map[string]string {
	out := map[string]string{"title": p.Title, "status": string(p.Status), "pages": strings.Join(p.Pages, ", ")}
	if p.Incident != "" {
		out["incident"] = p.Incident
	}
	return out
}

func (h *handlers) registerChanges() {
	op := func(id, method, path, summary string) operation.Operation {
		return h.operation(id, method, path, access.StatusPagesPublish, summary)
	}
	publish := op("publishAnnouncement", http.MethodPost, "/posts", "Announce an incident or maintenance on status pages")
	publish.Status = http.StatusCreated
	change(h, publish, "statuspage.publish", func(ctx context.Context, in *publishInput) (statuspage.Post, string, error) {
		p, err := h.deps.Room.Publish(ctx, in.Body)
		return p, in.Body.By, err
	})
	preview := op("previewAnnouncement", http.MethodPost, "/preview", "What would be announced")
	preview.Permission = access.StatusPagesRead
	preview.Description = "It checks what would be published, and publishes nothing."
	operation.Register(h.Registry, preview, func(ctx context.Context, in *previewInput) (statuspage.Post, error) {
		return h.deps.Room.Draft(ctx, in.Body)
	})
	change(h, op("updateAnnouncement", http.MethodPost, "/posts/{id}/updates", "Say something further, or that it is over"), "statuspage.update",
		func(ctx context.Context, in *updateInput) (statuspage.Post, string, error) {
			p, err := h.deps.Room.Update(ctx, in.ID, in.Body)
			return p, in.Body.By, err
		})
	correct := op("correctAnnouncement", http.MethodPatch, "/posts/{id}", "Put the words of an announcement right")
	change(h, correct, "statuspage.correct", func(ctx context.Context, in *correctInput) (statuspage.Post, string, error) {
		p, err := h.deps.Room.Correct(ctx, in.ID, in.Body)
		return p, in.Body.By, err
	})
	change(h, op("withdrawAnnouncement", http.MethodDelete, "/posts/{id}", "Take an announcement off every page"), "statuspage.withdraw",
		func(ctx context.Context, in *withdrawInput) (statuspage.Post, string, error) {
			p, err := h.deps.Room.Withdraw(ctx, in.ID)
			return p, in.By, err
		})
}
