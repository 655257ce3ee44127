package app

import (
	"github.com/signalbox-project/signalbox/internal/admit/identifiers"
	"github.com/signalbox-project/signalbox/internal/config"
	"github.com/signalbox-project/signalbox/internal/document"
	"github.com/signalbox-project/signalbox/internal/mask"
)

// buildMasks puts the rules of masking into force before anything can be asked.
func (c *cell) buildMasks() error {
	rules, err := masksOf(c.cfg)
	if err != nil {
		return err
	}
	c.masks = document.NewValue(c.force, rules, nil)
	return nil
}

// masksOf are the rules of a configuration. The key is read with them, so that rules and key of a reload belong together.
func masksOf(cfg config.Config) (*mask.Rules, error) {
	var key mask.Key
	if cfg.Masking.Hashes() {
		var err error
		if key.Prefix, key.Secret, key.Bytes, err = identifiers.Current(cfg.Privacy); err != nil {
			return nil, err
		}
	}
	return mask.New(cfg.Masking, key)
}
