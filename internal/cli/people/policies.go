package people

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/signalbox-project/signalbox/internal/cli/client"
	"github.com/signalbox-project/signalbox/internal/cli/command"
	"github.com/signalbox-project/signalbox/internal/cli/show"
	"github.com/signalbox-project/signalbox/internal/oncall/contacts"
	"github.com/signalbox-project/signalbox/internal/oncall/escalation"
	"github.com/signalbox-project/signalbox/internal/oncall/policy"
)

// Policies lists who is told of what.
func Policies() *cobra.Command {
	var c client.Client
	var templates, asJSON bool
	cmd := &cobra.Command{
		Use:   "policies",
		Short: "Who is told of what: levels and escalation policies",
		Example: `  signalbox oncall policies
  signalbox oncall policies --templates`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if templates {
				_, err := fmt.Fprint(cmd.OutOrStdout(), asYAML(policy.Templates()))
				return err
			}
			var raw json.RawMessage
			if err := c.Get(cmd.Context(), "/sb/v1/oncall/policies", nil, &raw); err != nil || asJSON {
				return printRaw(cmd.OutOrStdout(), raw, err)
			}
			var got struct {
				Levels   policy.Levels             `json:"levels"`
				Policies []policy.EscalationPolicy `json:"policies"`
			}
			if err := json.Unmarshal(raw, &got); err != nil {
				return err
			}
			printPolicies(cmd.OutOrStdout(), got.Levels, got.Policies)
			return nil
		},
	}
	cmd.Flags().BoolVar(&templates, "templates", false, "print chains to begin with, as YAML for oncall_files; asks no server")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the server's JSON answer")
	c.Flags(cmd.Flags())
	return cmd
}

func printRaw(w io.Writer, raw json.RawMessage, err error) error {
	if err != nil {
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(raw)
}

func printPolicies(w io.Writer, levels policy.Levels, policies []policy.EscalationPolicy) {
	t := show.NewTable("LEVEL", "WHAT IT DOES", "SEVERITIES")
	for _, l := range levels {
		t.Row(l.Name, l.Text(), strings.Join(l.Severities, ", "))
	}
	t.Write(w)
	if len(policies) == 0 {
		fmt.Fprintln(w, "\nThere is no escalation policy: only the receivers of alertmanager.yml are told. Begin with one of: signalbox oncall policies --templates")
		return
	}
	fmt.Fprintln(w)
	t = show.NewTable("POLICY", "FOR", "STEP", "AFTER", "TELLS")
	for _, p := range policies {
		for i, s := range p.Steps {
			name, whose := p.Name, forWhat(p)
			if i > 0 {
				name, whose = "", ""
			}
			var who []string
			for _, target := range s.Notify {
				who = append(who, target.Text())
			}
			text := strings.Join(who, ", ")
			if len(s.Levels) > 0 {
				text += " (" + strings.Join(s.Levels, ", ") + " only)"
			}
			t.Row(name, whose, fmt.Sprint(i+1), s.After.String(), text)
		}
	}
	t.Write(w)
}

func forWhat(p policy.EscalationPolicy) string {
	var out []string
	if p.Team != "" {
		out = append(out, "team "+p.Team)
	}
	for _, s := range p.Services {
		out = append(out, "service "+s)
	}
	for k, v := range p.Match {
		out = append(out, k+"="+v)
	}
	if p.Default {
		out = append(out, "all others")
	}
	return strings.Join(out, ", ")
}

// asYAML writes templates as a file of oncall_files has them.
func asYAML(list []policy.EscalationPolicy) string {
	var b strings.Builder
	b.WriteString("# Chains to begin with: take one, and put your schedules in the place of those that it names.\nescalation_policies:\n")
	for _, p := range list {
		fmt.Fprintf(&b, "  # %s\n  - name: %s\n    default: true\n    repeat: %d\n", p.Text, p.Name, p.Repeat)
		if p.Unresolved > 0 {
			fmt.Fprintf(&b, "    unresolved: %s\n", p.Unresolved)
		}
		b.WriteString("    steps:\n")
		for _, s := range p.Steps {
			var parts []string
			if s.After > 0 {
				parts = append(parts, "after: "+s.After.String())
			}
			if len(s.Levels) > 0 {
				parts = append(parts, "levels: ["+strings.Join(s.Levels, ", ")+"]")
			}
			var who []string
			for _, t := range s.Notify {
				who = append(who, "{schedule: "+t.Schedule+"}")
			}
			parts = append(parts, "notify: ["+strings.Join(who, ", ")+"]")
			fmt.Fprintf(&b, "      - {%s}\n", strings.Join(parts, ", "))
		}
	}
	return b.String()
}

// Test sends a drill and shows whom it reached.
func Test() *cobra.Command {
	var c client.Client
	var body struct {
		Policy string `json:"policy,omitempty"`
		Person string `json:"person,omitempty"`
		Level  string `json:"level,omitempty"`
		By     string `json:"by,omitempty"`
	}
	var wait time.Duration
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Send a drill through a whole policy, or to one person, and show the receipts",
		Long: `Tells all steps of an escalation policy at once, without the waits between them, that this is
a drill, and prints who was told by what and what the services answered. A drill is no page: it stands in
no inbox and no report. Exit status: 0 if every message was handed over, 1 if one was not, or nobody was told.`,
		Example: `  signalbox oncall test --policy platform
  signalbox oncall test --person sre-1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var sent struct {
				ID string `json:"id"`
			}
			if err := c.PostJSON(cmd.Context(), "/sb/v1/oncall/drills", body, &sent); err != nil {
				return err
			}
			v, err := settled(cmd, &c, sent.ID, wait)
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s\n", sent.ID)
			if !printSteps(cmd.OutOrStdout(), v) {
				return command.Exit(command.No)
			}
			return nil
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&body.Policy, "policy", "", "the escalation policy; the default one, if absent")
	fs.StringVar(&body.Person, "person", "", "one person instead, by the name in oncall_files")
	fs.StringVar(&body.Level, "level", "", "of the drill; the most urgent one, if absent")
	fs.StringVar(&body.By, "by", "", "who sends it; with authentication it is who is logged in")
	fs.DurationVar(&wait, "wait", time.Minute, "how long to wait until all messages are handed over")
	c.Flags(fs)
	return cmd
}

// settled asks for a drill until none of its messages is under way.
func settled(cmd *cobra.Command, c *client.Client, id string, wait time.Duration) (v escalation.View, err error) {
	for end := time.Now().Add(wait); ; {
		if err := c.Get(cmd.Context(), "/sb/v1/oncall/drills/"+id, nil, &v); err != nil {
			return v, err
		}
		open, begun := false, 0
		for _, s := range v.Steps {
			if s.State == "begun" {
				begun++
			}
			for _, a := range s.Attempts {
				open = open || a.State == "planned" || a.State == "trying"
			}
		}
		if !open && begun == len(v.Steps) || time.Now().After(end) {
			return v, nil
		}
		select {
		case <-cmd.Context().Done():
			return v, cmd.Context().Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// printSteps shows whom steps told; false if a message was not handed over, or nobody was told.
func printSteps(w io.Writer, v escalation.View) bool {
	t := show.NewTable("STEP", "TO", "BY", "OUTCOME", "RECEIPT")
	n, good := 0, true
	for _, s := range v.Steps {
		for _, who := range s.Who {
			if who.Nobody != "" {
				t.Row(fmt.Sprint(s.Number), who.Nobody, "-", "-", "-")
			}
		}
		for _, a := range s.Attempts {
			n++
			good = good && (a.State == "delivered" || a.State == "summarized")
			outcome := a.State
			if a.Note != "" {
				outcome += ": " + a.Note
			}
			t.Row(fmt.Sprint(s.Number), a.To, a.Channel, outcome, a.Receipt)
		}
	}
	t.Write(w)
	return good && n > 0
}

// Verify proves that contacts belong to whom they are said to.
func Verify() *cobra.Command {
	var c client.Client
	var body struct {
		Person  string `json:"person"`
		Contact string `json:"contact"`
		Code    string `json:"code,omitempty"`
		By      string `json:"by,omitempty"`
	}
	cmd := &cobra.Command{
		Use:   "verify [PERSON CONTACT [CODE]]",
		Short: "Send a code to a contact, and verify it by what came",
		Long: `Without arguments it lists the contacts of all people and which of them are verified.
With a person and the name of a contact it sends a code there; with the code, too, it verifies the contact.`,
		Example: `  signalbox oncall verify`,
		Args:    cobra.MaximumNArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return listContacts(cmd, &c)
			}
			if len(args) == 1 {
				return command.Usage(fmt.Errorf("name the contact of %s, too: signalbox oncall verify lists them", args[0]))
			}
			if body.Person, body.Contact = args[0], args[1]; len(args) == 3 {
				body.Code = args[2]
			}
			var got struct {
				Sent bool `json:"sent"`
			}
			if err := c.PostJSON(cmd.Context(), "/sb/v1/oncall/contacts/verify", body, &got); err != nil {
				return err
			}
			text := fmt.Sprintf("%s of %s is verified\n", body.Contact, body.Person)
			if got.Sent {
				text = fmt.Sprintf("a code is on its way to %s of %s: signalbox oncall verify %s %s CODE\n", body.Contact, body.Person, body.Person, body.Contact)
			}
			_, err := fmt.Fprint(cmd.OutOrStdout(), text)
			return err
		},
	}
	cmd.Flags().StringVar(&body.By, "by", "", "who says the code; with authentication it is who is logged in")
	c.Flags(cmd.Flags())
	return cmd
}

func listContacts(cmd *cobra.Command, c *client.Client) error {
	var got struct {
		Contacts []contacts.ContactState `json:"contacts"`
	}
	if err := c.Get(cmd.Context(), "/sb/v1/oncall/contacts", nil, &got); err != nil {
		return err
	}
	if len(got.Contacts) == 0 {
		_, err := fmt.Fprintln(cmd.OutOrStdout(), "Nobody has a contact: give people contacts in oncall_files.")
		return err
	}
	t := show.NewTable("PERSON", "CONTACT", "CHANNEL", "VERIFIED")
	for _, s := range got.Contacts {
		verified := "no"
		if s.Verified != nil {
			verified = s.Verified.UTC().Format("2006-01-02") + " by " + s.By
		}
		if !s.Usable {
			verified += " (the channel is not set up)"
		}
		t.Row(s.Person, s.Contact, s.Channel, verified)
	}
	t.Write(cmd.OutOrStdout())
	return nil
}
