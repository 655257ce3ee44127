// Package channels is the section `channels` of the configuration: which services carry messages to people.
//
// It makes them and knows none: each kind is a package below. In: the section. Out: one notify.Channel for each name by which
// addresses call them. Adding a kind: a package with Config and New, a field of Config, a line of kinds. Start reading at Config.kinds.
package channels

import (
	"fmt"
	"maps"
	"slices"

	"github.com/signalbox-project/signalbox/internal/notify/channels/email"
	"github.com/signalbox-project/signalbox/internal/notify/channels/kind"
	"github.com/signalbox-project/signalbox/internal/notify/channels/ntfy"
	"github.com/signalbox-project/signalbox/internal/notify/channels/opsgenie"
	"github.com/signalbox-project/signalbox/internal/notify/channels/pagerduty"
	"github.com/signalbox-project/signalbox/internal/notify/channels/pushover"
	"github.com/signalbox-project/signalbox/internal/notify/channels/slack"
	"github.com/signalbox-project/signalbox/internal/notify/channels/teams"
	"github.com/signalbox-project/signalbox/internal/notify/channels/telegram"
	"github.com/signalbox-project/signalbox/internal/notify/channels/tracker"
	"github.com/signalbox-project/signalbox/internal/notify/channels/twilio"
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
	// Pushover rings phones until somebody acknowledges: token, retry, expire, url, http_config.
	Pushover *pushover.Config `yaml:"pushover"`
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
	// Twilio is sms and voice: account, token, from, messaging_service, replies, machine_detection, language, voice, most_per_hour, url, http_config.
	Twilio *twilio.Config `yaml:"twilio"`
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
	build func(kind.Deps) (kind.Made, error)
}

// kinds are all that there are.
func (c Config) kinds() []entry {
	return []entry{
		{"email", c.Email != nil, c.Email, kind.One("email", email.New, c.Email)},
		{"ntfy", c.Ntfy != nil, c.Ntfy, kind.One("ntfy", ntfy.New, c.Ntfy)},
		{"pushover", c.Pushover != nil, c.Pushover, kind.One("pushover", pushover.New, c.Pushover)},
		{"pagerduty", c.PagerDuty != nil, c.PagerDuty, kind.One("pagerduty", pagerduty.New, c.PagerDuty)},
		{"telegram", c.Telegram != nil, c.Telegram, kind.One("telegram", telegram.New, c.Telegram)},
		{"teams", c.Teams != nil, c.Teams, kind.One("teams", teams.New, c.Teams)},
		{"opsgenie", c.Opsgenie != nil, c.Opsgenie, kind.One("opsgenie", opsgenie.New, c.Opsgenie)},
		{"github", c.GitHub != nil, c.GitHub, kind.One("github", tracker.NewGitHub, c.GitHub)},
		{"gitlab", c.GitLab != nil, c.GitLab, kind.One("gitlab", tracker.NewGitLab, c.GitLab)},
		{"jira", c.Jira != nil, c.Jira, kind.One("jira", tracker.NewJira, c.Jira)},
		{"twilio", c.Twilio != nil, c.Twilio, func(d kind.Deps) (kind.Made, error) { return twilio.New(c.Twilio, d) }},
		{"slack", c.Slack != nil, c.Slack, kind.One("slack", slack.New, c.Slack)},
		{"webhook", c.Webhook != nil, c.Webhook, kind.One("webhook", webhook.New, c.Webhook)},
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
func Build(c Config, d kind.Deps) (kind.Made, error) {
	out := kind.Made{}
	for _, k := range c.used() {
		made, err := k.build(d)
		if err != nil {
			return nil, fmt.Errorf("channels.%s: %w", k.name, err)
		}
		maps.Copy(out, made)
	}
	return out, nil
}
