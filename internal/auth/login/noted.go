package login

import (
	"encoding/json"
	"fmt"
)

// The details of an entry of the audit log that say what a login brought with it.
const (
	notedGroups = "groups"
	notedGrants = "grants"
	// mostNoted bounds each, below what the log keeps of one text.
	mostNoted = 12 << 10
)

// Note adds to the details of an audit entry in which groups somebody came, and what those gave them then: the provider says
// later in which they are by then, and a binding may have gone.
func Note(details map[string]string, groups, grants []string) {
	for name, list := range map[string][]string{notedGroups: groups, notedGrants: grants} {
		if list == nil {
			list = []string{}
		}
		text, err := json.Marshal(list)
		if err != nil || len(text) > mostNoted {
			text = fmt.Appendf(nil, "%d, which is more than is noted", len(list))
		}
		details[name] = string(text)
	}
}

// Noted reads both again; false where an entry does not tell, as those of before do not.
func Noted(details map[string]string) (groups, grants []string, ok bool) {
	if json.Unmarshal([]byte(details[notedGroups]), &groups) != nil || groups == nil {
		return nil, nil, false
	}
	_ = json.Unmarshal([]byte(details[notedGrants]), &grants) // too many, which leaves the groups known
	return groups, grants, true
}
