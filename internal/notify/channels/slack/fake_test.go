package slack_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

const token = "xoxb-1-hunter2"

// workspace is a strict stand-in for Slack: it takes what Slack documents within Slack's limits, and refuses everything else with Slack's
// own codes.
type workspace struct {
	*httptest.Server
	t *testing.T

	mu       sync.Mutex
	messages map[string]*call // by channel/ts
	calls    []call
	next     int
	answer   func(method string) (status int, header http.Header, body string) // instead of ours, if not 0
	users    map[string]string                                                 // JSON of users.info
}

type call struct {
	Method      string           `json:"-"`
	Channel     string           `json:"channel"`
	TS          string           `json:"ts"`
	ThreadTS    string           `json:"thread_ts"`
	User        string           `json:"user"`
	Text        string           `json:"text"`
	Blocks      []map[string]any `json:"blocks"`
	Broadcast   bool             `json:"reply_broadcast"`
	Parse       string           `json:"parse"`
	LinkNames   bool             `json:"link_names"`
	UnfurlLinks *bool            `json:"unfurl_links"`
	UnfurlMedia *bool            `json:"unfurl_media"`
}

func newWorkspace(t *testing.T) *workspace {
	w := &workspace{t: t, messages: map[string]*call{}, users: map[string]string{}}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *workspace) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	method := strings.TrimPrefix(r.URL.Path, "/")
	if w.answer != nil {
		if status, header, body := w.answer(method); status != 0 {
			for k, v := range header {
				rw.Header()[k] = v
			}
			rw.WriteHeader(status)
			io.WriteString(rw, body)
			return
		}
	}
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	answer, code := w.serve(method, r)
	if code != "" {
		fmt.Fprintf(rw, `{"ok":false,"error":%q,"response_metadata":{"messages":[%q]}}`, code, answer)
		return
	}
	io.WriteString(rw, answer)
}

func (w *workspace) serve(method string, r *http.Request) (answer, code string) {
	if r.Method != "POST" || r.URL.RawQuery != "" {
		return "", "invalid_post_type"
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		return "", "invalid_auth"
	}
	if method == "users.info" {
		if r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			return "", "invalid_form_data"
		}
		if u := w.users[r.PostFormValue("user")]; u != "" {
			return `{"ok":true,"user":` + u + `}`, ""
		}
		return "", "user_not_found"
	}
	if r.Header.Get("Content-Type") != "application/json; charset=utf-8" {
		return "", "invalid_post_type"
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || !utf8.Valid(body) {
		return "", "invalid_json"
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	c := call{Method: method}
	if err := d.Decode(&c); err != nil {
		return err.Error(), "invalid_json"
	}
	return w.message(c)
}

func (w *workspace) message(c call) (answer, code string) {
	if detail := checkMessage(c); detail != "" {
		return detail, "invalid_blocks"
	}
	key := c.Channel + "/" + c.TS
	switch c.Method {
	case "chat.postMessage":
		if c.TS != "" || c.User != "" {
			return "ts and user are no arguments", "invalid_arguments"
		}
		switch { // names and members are answered with the ID of the conversation
		case strings.HasPrefix(c.Channel, "#"):
			c.Channel = "C" + strings.ToUpper(c.Channel[1:])
		case strings.HasPrefix(c.Channel, "U"):
			c.Channel = "D" + c.Channel[1:]
		case !strings.HasPrefix(c.Channel, "C") && !strings.HasPrefix(c.Channel, "D"):
			return "", "channel_not_found"
		}
		if c.ThreadTS != "" && w.messages[c.Channel+"/"+c.ThreadTS] == nil || c.Broadcast && c.ThreadTS == "" {
			return "", "thread_not_found"
		}
		w.next++
		c.TS = fmt.Sprintf("1700000000.%06d", w.next)
		w.messages[c.Channel+"/"+c.TS] = &c
	case "chat.update":
		if w.messages[key] == nil {
			return "", "message_not_found"
		}
		if c.ThreadTS != "" || c.User != "" || c.UnfurlLinks != nil {
			return "an argument of chat.postMessage", "invalid_arguments"
		}
		w.messages[key].Text, w.messages[key].Blocks = c.Text, c.Blocks
	case "chat.postEphemeral":
		if c.User == "" || c.TS != "" {
			return "", "invalid_arguments"
		}
	default:
		return "", "unknown_method"
	}
	w.calls = append(w.calls, c)
	return fmt.Sprintf(`{"ok":true,"channel":%q,"ts":%q,"message":{}}`, c.Channel, c.TS), ""
}

var mention = regexp.MustCompile(`<[!@#]|<[a-z]+:`)

func checkMessage(c call) string {
	switch {
	case c.Parse != "none" || c.LinkNames:
		return "names would be made links"
	case c.Text == "" || len(c.Text) > 40_000:
		return "text: 1 to 40,000 characters"
	case mention.MatchString(c.Text) || strings.Contains(strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(c.Text), "&"):
		return "text: markup that nobody meant: " + c.Text
	case len(c.Blocks) > 50:
		return "blocks: more than 50"
	}
	total, ids := 0, map[string]bool{}
	for i, b := range c.Blocks {
		n, err := checkBlock(b)
		if err != "" {
			return fmt.Sprintf("[json-pointer:/blocks/%d] %s", i, err)
		}
		if id, _ := b["block_id"].(string); id != "" && ids[id] {
			return "block_id: twice: " + id
		} else {
			ids[id] = true
		}
		total += n
	}
	if total > 13_000 {
		return "msg_blocks_too_long"
	}
	return ""
}

func only(b map[string]any, names ...string) string {
	for k := range b {
		known := false
		for _, n := range names {
			known = known || n == k
		}
		if !known {
			return "unknown field " + k
		}
	}
	return ""
}

func units(s string) int { return len(utf16.Encode([]rune(s))) }

func checkBlock(b map[string]any) (size int, err string) {
	switch b["type"] {
	case "header":
		size, err = checkText(b["text"], 150)
		return size, err + only(b, "type", "text", "block_id")
	case "section":
		size, err = checkText(b["text"], 3000)
		return size, err + only(b, "type", "text", "block_id")
	case "context":
		elements, _ := b["elements"].([]any)
		if len(elements) == 0 || len(elements) > 10 {
			return 0, "elements: 1 to 10"
		}
		for _, e := range elements {
			n, bad := checkText(e, 3000)
			size, err = size+n, err+bad
		}
		return size, err + only(b, "type", "elements", "block_id")
	case "actions":
		elements, _ := b["elements"].([]any)
		if len(elements) == 0 || len(elements) > 25 {
			return 0, "elements: 1 to 25"
		}
		ids := map[any]bool{}
		for _, e := range elements {
			m, _ := e.(map[string]any)
			if ids[m["action_id"]] {
				return 0, "action_id: twice"
			}
			ids[m["action_id"]] = true
			err += checkButton(m)
		}
		return size, err + only(b, "type", "elements", "block_id")
	}
	return 0, fmt.Sprintf("type: %v", b["type"])
}

func checkText(v any, most int) (int, string) {
	m, ok := v.(map[string]any)
	s, isText := m["text"].(string)
	if !ok || !isText || m["type"] != "plain_text" {
		return 0, "text: must be plain_text"
	}
	if n := units(s); n < 1 || n > most {
		return n, fmt.Sprintf("must be less than %d characters, has %d", most+1, n)
	}
	return units(s), only(m, "type", "text", "emoji")
}

func checkButton(m map[string]any) string {
	if m["type"] != "button" {
		return "an element that is no button"
	}
	_, err := checkText(m["text"], 75)
	if u, has := m["url"].(string); has && (len(u) > 3000 || !strings.HasPrefix(u, "https://") && !strings.HasPrefix(u, "http://")) {
		err += "invalid url " + u
	}
	if v, has := m["value"].(string); has && len(v) > 2000 {
		err += "value too long"
	}
	if id, _ := m["action_id"].(string); id == "" || len(id) > 255 {
		err += "action_id"
	}
	if s, has := m["style"]; has && s != "primary" && s != "danger" {
		err += "style"
	}
	if c, has := m["confirm"].(map[string]any); has {
		for field, most := range map[string]int{"title": 100, "text": 300, "confirm": 30, "deny": 30} {
			_, bad := checkText(c[field], most)
			err += bad
		}
	}
	return err + only(m, "type", "text", "url", "value", "action_id", "style", "confirm")
}
