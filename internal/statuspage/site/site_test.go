package site

import (
	"encoding/json"
	"encoding/xml"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html"

	"github.com/signalbox-project/signalbox/internal/statuspage"
)

const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)> & {{.}} ` + "\x01\uFFFE" + ` javascript:alert(3) ]]> http://ok.example/a?b=c&d=e.`

func viewOf(text string) statuspage.View {
	at := time.Date(2026, 11, 30, 23, 30, 0, 0, time.UTC)
	end := at.Add(time.Hour)
	low, most, all := 0.98765, 0.99999, 1.0
	days := make([]statuspage.Day, 90)
	for i := range days {
		days[i].Date = at.AddDate(0, 0, i-89).Format(time.DateOnly)
	}
	days[88].Ratio, days[89].Ratio, days[89].Minutes, days[89].Maintenance = &low, &all, 700, true
	notice := func(id string, kind statuspage.Kind, status statuspage.Status) statuspage.Notice {
		n := statuspage.Notice{
			ID: id, Kind: kind, Title: text, Status: status, Impact: "major", Created: at, Changed: at, Components: []statuspage.Shown{{ID: "a", Title: text, State: statuspage.PartialOutage}},
			Updates: []statuspage.NoticeUpdate{{ID: "u" + id, Time: at, Status: status, Text: text}},
		}
		if kind == statuspage.OfMaintenance {
			n.Starts, n.Ends = &at, &end
		}
		if status.Over() {
			n.Ended = &end
		}
		return n
	}
	return statuspage.View{
		Name: "p", Title: text, Description: text, Public: true, Language: "en", TimeZone: "Europe/Berlin", StaleAfter: 600, Generated: at, State: statuspage.PartialOutage,
		Components: []statuspage.ComponentView{
			{ID: "a", Title: text, Description: text, Group: text, State: statuspage.PartialOutage, Uptime: &statuspage.Uptime{Ratio: &most, Days: 2, Of: 90}, Days: days},
			{ID: "b", Title: "B", State: statuspage.Operational, Uptime: &statuspage.Uptime{Of: 90}, Days: days[:0]},
		},
		Notices: []statuspage.Notice{notice("1", statuspage.OfIncident, statuspage.Investigating), notice("2", statuspage.OfMaintenance, statuspage.Scheduled), notice("3", statuspage.OfIncident, statuspage.Resolved)},
	}
}

const base = "https://status.example.com/"

func build(t *testing.T, v statuspage.View, static bool) map[string]File {
	t.Helper()
	files, err := Build(v, Options{Base: base, Static: static})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// attributes and elements that no text of somebody may bring in.
func inspect(t *testing.T, path, text string) {
	t.Helper()
	scripts := 0
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		if z.Next() == html.ErrorToken {
			break
		}
		token := z.Token()
		if token.Type == html.StartTagToken && token.Data == "script" {
			scripts++
		}
		if token.Type == html.StartTagToken && token.Data == "img" {
			t.Errorf("%s: an image", path)
		}
		for _, a := range token.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.Contains(strings.ToLower(a.Val), "javascript:") && a.Key == "href" {
				t.Errorf("%s: <%s %s=%q>", path, token.Data, a.Key, a.Val)
			}
		}
	}
	if scripts != 1 {
		t.Errorf("%s: %d scripts", path, scripts)
	}
}

// What people write is text in every file, and every link between files leads to one.
func TestWhatPeopleWriteIsText(t *testing.T) {
	for _, static := range []bool{true, false} {
		files := build(t, viewOf(hostile), static)
		for path, f := range files {
			text := string(f.Body)
			switch {
			case strings.HasPrefix(f.Type, "text/html"):
				inspect(t, path, text)
				links(t, files, path, text)
				if !strings.Contains(text, `data-generated="2026-11-30T23:30:00Z" data-stale="600"`) || !strings.Contains(text, `id="stale"`) {
					t.Errorf("%s does not say how old it is", path)
				}
				if strings.Contains(text, "<form") || static != strings.Contains(text, `http-equiv="Content-Security-Policy"`) {
					t.Errorf("%s, static %v: a form, or the policy is wrong", path, static)
				}
			case f.Type == typeJSON:
				var any map[string]any
				if err := json.Unmarshal(f.Body, &any); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			default:
				if err := xml.Unmarshal(f.Body, new(struct{})); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
		}
		if text := string(files["index.html"].Body); !strings.Contains(text, `<a href="http://ok.example/a?b=c&amp;d=e" rel="nofollow noopener">`) {
			t.Error("an address is no link")
		}
	}
}

func links(t *testing.T, files map[string]File, path, text string) {
	t.Helper()
	for z := html.NewTokenizer(strings.NewReader(text)); z.Next() != html.ErrorToken; {
		for _, a := range z.Token().Attr {
			if a.Key != "href" || strings.Contains(a.Val, "://") {
				continue
			}
			at := path[:strings.LastIndexByte(path, '/')+1] + a.Val
			for strings.Contains(at, "../") {
				i := strings.Index(at, "../")
				at = at[:strings.LastIndexByte("/"+at[:i-1], '/')] + at[i+3:]
			}
			at = strings.TrimPrefix(at, "./")
			if at == "" || strings.HasSuffix(at, "/") {
				at += "index.html"
			}
			if _, there := files[at]; !there {
				t.Errorf("%s links to %s, %s, which is not there", path, a.Val, at)
			}
		}
	}
}

// The feeds are read by a library that others read feeds with.
func TestFeedsAreRead(t *testing.T) {
	for _, text := range []string{"Orders are slow", hostile} {
		files := build(t, viewOf(text), true)
		for _, name := range []string{"history.atom", "history.rss"} {
			feed, err := gofeed.NewParser().ParseString(string(files[name].Body))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(feed.Items) != 3 || feed.Link != base || feed.UpdatedParsed == nil && feed.PublishedParsed == nil {
				t.Errorf("%s: %+v", name, feed)
			}
			first := feed.Items[0]
			if first.Link != base+"incidents/1/" || first.GUID != first.Link || first.PublishedParsed == nil || text != hostile && first.Title != text {
				t.Errorf("%s: %+v", name, first)
			}
			if content := first.Content + first.Description; strings.Contains(content, "<script") || strings.Contains(content, "<img") || !strings.Contains(content, "Investigating") {
				t.Errorf("%s: %s", name, content)
			}
		}
	}
}

// The answers have the keys and words of Statuspage's API.
func TestTheAPIIsStatuspages(t *testing.T) {
	files := build(t, viewOf("x"), true)
	var got struct {
		Page       struct{ ID, Name, URL, TimeZone, UpdatedAt string }
		Status     struct{ Indicator, Description string }
		Components []struct {
			ID, Name, Status string
			GroupID          *string `json:"group_id"`
			Group            bool
		}
		Incidents []struct {
			ID, Name, Status, Impact, Shortlink string
			Updates                             []struct{ Body string } `json:"incident_updates"`
		}
		Scheduled []struct {
			ScheduledFor string `json:"scheduled_for"`
		} `json:"scheduled_maintenances"`
	}
	if err := json.Unmarshal(files["api/v2/summary.json"].Body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Status.Indicator != "major" || got.Status.Description != "Partial outage" || len(got.Components) != 3 || got.Components[0].Status != "partial_outage" || *got.Components[0].GroupID != got.Components[2].ID || !got.Components[2].Group {
		t.Errorf("%+v", got)
	}
	if len(got.Incidents) != 1 || got.Incidents[0].Updates[0].Body != "x" || got.Incidents[0].Shortlink != base+"incidents/1/" || len(got.Scheduled) != 1 || got.Scheduled[0].ScheduledFor != "2026-11-30T23:30:00Z" {
		t.Errorf("%+v", got)
	}
	for _, name := range []string{"status", "components", "incidents", "incidents/unresolved", "scheduled-maintenances", "scheduled-maintenances/upcoming", "scheduled-maintenances/active"} {
		if files["api/v2/"+name+".json"].Body == nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// A share is never rounded up, and what is not known is said so.
func TestFiguresAreHonest(t *testing.T) {
	for ratio, want := range map[float64]string{1: "100 %", 0.999999: "99.99 %", 0.9997: "99.97 %", 0.98765: "98.76 %", 0: "0.00 %"} {
		if got := percent(&ratio, "."); got != want {
			t.Errorf("%v: %s, want %s", ratio, got, want)
		}
	}
	text := string(build(t, viewOf("x"), false)["index.html"].Body)
	for _, want := range []string{"99.99 % uptime over 2 of 90 days with data", "no data", "98.76 %", "11 h 40 min", `class="d-plan"`, "2026-12-01 00:30 CET"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if n := strings.Count(text, `class="d-none"`); n != 88 {
		t.Errorf("%d days without data", n)
	}
	if v := viewOf("x"); !reflect.DeepEqual(build(t, v, false), build(t, v, false)) {
		t.Error("the same view gives other bytes")
	}
	if history := string(build(t, viewOf("x"), false)["history/index.html"].Body); !strings.Contains(history, "December 2026") {
		t.Error("the history is not by months of the page's time zone")
	}
}

func TestEveryLanguageHasEveryWord(t *testing.T) {
	for _, language := range statuspage.Languages() {
		v := vocabularyOf(language)
		if language != "en" && v.noData == english().noData {
			t.Errorf("%s has no words", language)
		}
		var empty func(path string, of reflect.Value)
		empty = func(path string, of reflect.Value) {
			switch of.Kind() {
			case reflect.Struct:
				for i := range of.NumField() {
					empty(path+"."+of.Type().Field(i).Name, of.Field(i))
				}
			case reflect.String:
				if of.String() == "" {
					t.Errorf("%s%s is empty", language, path)
				}
			case reflect.Map, reflect.Array:
				if of.Len() < 5 {
					t.Errorf("%s%s: %d", language, path, of.Len())
				}
			}
		}
		empty("", reflect.ValueOf(v))
		for _, s := range statuspage.States() {
			if v.State(s) == "" || v.Overall(s) == "" {
				t.Errorf("%s has no word for %s", language, s)
			}
		}
		for _, s := range append(statuspage.OfIncident.Statuses(), statuspage.OfMaintenance.Statuses()...) {
			if v.Status(s) == "" {
				t.Errorf("%s has no word for %s", language, s)
			}
		}
		for _, part := range []string{"{ratio}", "{days}", "{of}"} {
			if !strings.Contains(v.uptime, part) {
				t.Errorf("%s: uptime lacks %s", language, part)
			}
		}
	}
}
