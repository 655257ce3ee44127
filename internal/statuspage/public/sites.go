package public

import (
	"context"
	"net/url"
	"sync"
	"time"

	"github.com/signalbox-project/signalbox/internal/statuspage"
	"github.com/signalbox-project/signalbox/internal/statuspage/site"
)

// freshFor is how long a page is shown as it was made, unless something changes.
const freshFor = 30 * time.Second

// Sites are the pages of one tenant, as they were made last.
type Sites struct {
	Room *statuspage.Room
	path func(page string) string
	base *url.URL
	now  func() time.Time

	mu   sync.Mutex
	made map[string]made
}

// made is a page at a time.
type made struct {
	at      time.Time
	changes uint64
	files   map[string]site.File
}

// NewSites makes them. path is where a page is below external.
func NewSites(room *statuspage.Room, external *url.URL, path func(page string) string, now func() time.Time) *Sites {
	return &Sites{Room: room, base: external, path: path, now: now, made: map[string]made{}}
}

// Base is the address of a page: what its file says, or else that on this server.
func (s *Sites) Base(p statuspage.Page) string {
	if p.URL != "" {
		u, err := url.Parse(p.URL)
		if err == nil {
			return u.JoinPath("/").String()
		}
	}
	return s.Own(p.Name)
}

// Own is the address of a page on this server.
func (s *Sites) Own(page string) string { return s.base.JoinPath(s.path(page)).String() }

// Files are those of a page. One is made at a time: whoever asks meanwhile gets the same.
func (s *Sites) Files(ctx context.Context, p statuspage.Page) (map[string]site.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, changes := s.now(), s.Room.Changes()
	if m, ok := s.made[p.Name]; ok && m.changes == changes && now.Sub(m.at) < freshFor && !now.Before(m.at) {
		return m.files, nil
	}
	v, err := s.Room.View(context.WithoutCancel(ctx), p.Name)
	if err != nil {
		return nil, err
	}
	files, err := site.Build(v, site.Options{Base: s.Base(p)})
	if err == nil {
		s.made[p.Name] = made{now, changes, files}
	}
	return files, err
}
