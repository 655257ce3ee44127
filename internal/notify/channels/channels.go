// Package channels is the section `channels` of the configuration: which services carry messages to people.
//
// It makes them and knows none: each kind is a package below. In: the section. Out: one notify.Channel for each name by which
// addresses call them. Adding a kind: a package with Config and New, a field of Config, a line of kinds. Start reading at Config.kinds.
package channels

import (
	"fmt"
	"maps"
	"slices"

	"github.com/signalbox-project/signalbox/internal/notify"
	"github.com/signalbox-project/signalbox/internal/notify/channels/email"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/ntfy"
	"github.com/signalbox-project/signalbox/internal/notify/channels/opsgenie"
	"github.com/signalbox-project/signalbox/internal/notify/channels/pagerduty"
	"github.com/signalbox-project/signalbox/internal/notify/channels/slack"
	"github.com/signalbox-project/signalbox/internal/notify/channels/teams"
	"github.com/signalbox-project/signalbox/internal/notify/channels/telegram"
	"github.com/signalbox-project/signalbox/internal/notify/channels/tracker"
	"github.com/signalbox-project/signalbox/internal/notify/channels/webhook"
)

// Config is the section: what is absent is not there to be used.
type Config struct {
	// Email sends mails over SMTP: host, port, tls (starttls, implicit, none), tls_config, username, password, auth, from, reply_to, hello (docs/channels.md).
	Email *email.Config `yaml:"email"`
	// Webhook tells systems of one's own with signed requests: receivers, a list of name, url or url_from, secret, http_config (docs/channels.md).
	Webhook *webhook.Config `yaml:"webhook"`
	// Ntfy publishes to topics of an ntfy server: url, token, http_config.
	Ntfy *ntfy.Config `yaml:"ntfy"`
	// PagerDuty sends events: services, a list of name and routing_key, url, http_config.
	PagerDuty *pagerduty.Config `yaml:"pagerduty"`
	// Telegram is a bot: token, webhook_secret, people by user ID, url, http_config.
	Telegram *telegram.Config `yaml:"telegram"`
	// Teams posts cards by way of workflows: destinations, a list of name and url, http_config.
	Teams *teams.Config `yaml:"teams"`
	// Opsgenie makes alerts: key, url, http_config.
	Opsgenie *opsgenie.Config `yaml:"opsgenie"`
	// GitHub, GitLab and Jira take issues: token, url, close, labels, http_config; of Jira also user, issue_type, close_transition.
	GitHub *tracker.GitHub `yaml:"github"`
	GitLab *tracker.GitLab `yaml:"gitlab"`
	Jira   *tracker.Jira   `yaml:"jira"`
	// Slack is a bot with buttons: token, signing_secret, people by member ID, url, http_config.
	Slack *slack.Config `yaml:"slack"`
}

// settings are those of one kind.
type settings interface {
	Validate() []error
	Files() []*string
}

// entry is one kind of the section.
type entry struct {
	name string // of the key
	set  bool
	settings
	build func(kind.Deps) (map[string]notify.Channel, error)
}

// kinds are all that there are.
func (c Config) kinds() []entry {
	return []entry{
		{"email", c.Email != nil, c.Email, one("email", func(d kind.Deps) (notify.Channel, error) { return email.New(c.Email, d) })},
		{"ntfy", c.Ntfy != nil, c.Ntfy, one("ntfy", func(d kind.Deps) (notify.Channel, error) { return ntfy.New(c.Ntfy, d) })},
		{"pagerduty", c.PagerDuty != nil, c.PagerDuty, one("pagerduty", func(d kind.Deps) (notify.Channel, error) { return pagerduty.New(c.PagerDuty, d) })},
		{"telegram", c.Telegram != nil, c.Telegram, one("telegram", func(d kind.Deps) (notify.Channel, error) { return telegram.New(c.Telegram, d) })},
		{"teams", c.Teams != nil, c.Teams, one("teams", func(d kind.Deps) (notify.Channel, error) { return teams.New(c.Teams, d) })},
		{"opsgenie", c.Opsgenie != nil, c.Opsgenie, one("opsgenie", func(d kind.Deps) (notify.Channel, error) { return opsgenie.New(c.Opsgenie, d) })},
		{"github", c.GitHub != nil, c.GitHub, one("github", func(d kind.Deps) (notify.Channel, error) { return tracker.NewGitHub(c.GitHub, d) })},
		{"gitlab", c.GitLab != nil, c.GitLab, one("gitlab", func(d kind.Deps) (notify.Channel, error) { return tracker.NewGitLab(c.GitLab, d) })},
		{"jira", c.Jira != nil, c.Jira, one("jira", func(d kind.Deps) (notify.Channel, error) { return tracker.NewJira(c.Jira, d) })},
		{"slack", c.Slack != nil, c.Slack, one("slack", func(d kind.Deps) (notify.Channel, error) { return slack.New(c.Slack, d) })},
		{"webhook", c.Webhook != nil, c.Webhook, one("webhook", func(d kind.Deps) (notify.Channel, error) { return webhook.New(c.Webhook, d) })},
	}
}

// one is a kind that is one channel, by its own name.
func one(name string, build func(kind.Deps) (notify.Channel, error)) func(kind.Deps) (map[string]notify.Channel, error) {
	return func(d kind.Deps) (map[string]notify.Channel, error) {
		ch, err := build(d)
		return map[string]notify.Channel{name: ch}, err
	}
}

// used are the kinds that are set.
func (c Config) used() []entry {
	return slices.DeleteFunc(c.kinds(), func(k entry) bool { return !k.set })
}

// Validate lists what is wrong; each message begins with the field's path.
func (c Config) Validate() []error {
	var errs []error
	for _, k := range c.used() {
		for _, err := range k.Validate() {
			errs = append(errs, fmt.Errorf("%s.%w", k.name, err))
		}
	}
	return errs
}

// Files are the paths in the configuration.
func (c Config) Files() []*string {
	var out []*string
	for _, k := range c.used() {
		out = append(out, k.Files()...)
	}
	return out
}

// Build makes every channel that is set, by the name that addresses call it.
func Build(c Config, d kind.Deps) (map[string]notify.Channel, error) {
	out := map[string]notify.Channel{}
	for _, k := range c.used() {
		made, err := k.build(d)
		if err != nil {
			return nil, fmt.Errorf("channels.%s: %w", k.name, err)
		}
		maps.Copy(out, made)
	}
	return out, nil
}
