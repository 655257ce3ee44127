package paper

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/signalbox-project/signalbox/internal/model"
)

func TestWhatPeopleTypedIsShownAsItIs(t *testing.T) {
	achieved := 0.9985
	r := Report{
		Title: "T", Period: Period{Start: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)},
		SLOs: []SLO{{
			Name: `=cmd|' /C calc'!A0`, DisplayName: "@SUM(1+1)*cmd", Service: "\t-2+3", Team: "+1", Environment: "a\r\nb", Unit: "events", Objective: 0.999, Verdict: Missed,
			Reason:      `say "no", then | <b>no</b>`,
			Contract:    Figures{Achieved: &achieved, LeftMinutes: -3},
			Corrections: []Correction{{SLOCorrection: model.SLOCorrection{Author: "x|y", Reason: "a\n| b | [link](javascript:1) `code` *bold* <script> @all"}}},
		}},
	}
	file := func(format string) []byte {
		f, err := Write(r, format)
		if err != nil {
			t.Fatal(err)
		}
		return f.Content
	}
	rows, err := csv.NewReader(bytes.NewReader(file("csv"))).ReadAll()
	if err != nil || len(rows) != 2 || len(rows[0]) != len(rows[1]) {
		t.Fatal(rows, err)
	}
	by := map[string]string{}
	for i, h := range rows[0] {
		by[h] = rows[1][i]
	}
	for column, want := range map[string]string{
		"slo": `'=cmd|' /C calc'!A0`, "display_name": "'@SUM(1+1)*cmd", "service": "'-2+3", "team": "'+1", "environment": "a b",
		"reason": `say "no", then | <b>no</b>`, "left_minutes": "-3", "achieved_percent": "99.85", "felt_percent": "99.85", "objective_percent": "99.9",
	} {
		if by[column] != want {
			t.Errorf("%s is %q, want %q", column, by[column], want)
		}
	}
	md := string(file("md"))
	want := `| x\|y | a \| b \| \[link\](javascript:1) \` + "`code\\`" + ` \*bold\* &lt;script&gt; &#64;all |`
	if !strings.Contains(md, want) {
		t.Errorf("Markdown lacks %s:\n%s", want, md)
	}
	columns := 0
	for line := range strings.Lines(md) { // every row of a table has the columns of its header
		n := strings.Count(line, "|") - strings.Count(line, `\|`)
		switch {
		case n == 0:
			columns = 0
		case columns == 0:
			columns = n
		case n != columns:
			t.Errorf("%d columns instead of %d: %s", n, columns, line)
		}
	}
	var back Report
	if err := json.Unmarshal(file("json"), &back); err != nil || back.SLOs[0].Name != r.SLOs[0].Name {
		t.Error(back, err)
	}
	if _, err := Write(r, "pdf"); err == nil {
		t.Error("a format that there is not")
	}
}

func TestFiguresAsPeopleReadThem(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Length(44.64), "44.64 min"},
		{Length(-5.36), "-5.36 min"},
		{Length(201), "3 h 21 min"},
		{Length(60), "1 h"},
		{Length(17424), "12 d 2 h"},
		{Length(0.5), "30 s"},
		{Length(0), "0 min"},
		{Percent(0.9988799, 0.999), "99.887 %"},
		{Percent(0.99899999, 0.999), "99.899999 %"},
		{Percent(0.999, 0.999), "99.9 %"},
		{Percent(1, 0.999), "100 %"},
		{Percent(0.5, 0.95), "50 %"},
		{Percent(0.9999999, 0.99), "99.99999 %"},
		{Target(0.9995), "99.95 %"},
		{Coverage(0.6097), "61 %"},
		{Coverage(0.9999), "100 %"},
		{Coverage(0.9949), "99.4 %"},
		{Coverage(0), "0 %"},
		{Coverage(0.0004), "under 1 %"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
