package fit

import (
	"strings"

	"github.com/signalbox-project/signalbox/internal/platform/weblink"
)

// Link is an address of the web that may stand in markup of any kind: what ends a link there is encoded. "" is for what is none, is longer than most
// bytes, or is what a browser would run.
func Link(address string, most int) string {
	if address == "" || weblink.Check(address) != nil {
		return ""
	}
	address = strings.NewReplacer(`"`, "%22", "'", "%27", "<", "%3C", ">", "%3E", "|", "%7C", "`", "%60", "(", "%28", ")", "%29", "*", "%2A").Replace(address)
	if len(address) > most {
		return ""
	}
	return address
}
