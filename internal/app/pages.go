package app

import (
	"context"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
)

// pageNews is a state store that tells of each page that was saved or acknowledged, whoever did it.
type pageNews struct {
	store.State
	listeners *[]func(model.Page)
}

// onPage has a room hear of pages, before anything runs. It must not block, and finds out for itself what it missed
// while the process was down.
func (c *cell) onPage(hear func(model.Page)) { c.pageListeners = append(c.pageListeners, hear) }

// SavePage implements store.PageStore.
func (n pageNews) SavePage(ctx context.Context, p model.Page) error {
	err := n.State.SavePage(ctx, p)
	if err == nil {
		n.tell(p)
	}
	return err
}

// AckPage implements store.PageStore.
func (n pageNews) AckPage(ctx context.Context, id, by string, at time.Time) (model.Page, error) {
	p, err := n.State.AckPage(ctx, id, by, at)
	if err == nil {
		n.tell(p)
	}
	return p, err
}

func (n pageNews) tell(p model.Page) {
	for _, hear := range *n.listeners {
		hear(p)
	}
}
