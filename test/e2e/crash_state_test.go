package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"
)

// stateProducers change what people rely on: every change carries its number in a text field.
func stateProducers(epoch time.Time) []*producer {
	return []*producer{
		{
			signal: "deploys", senders: 1, stored: numbersOf("deploys", "version"),
			send: sendJSON("/sb/v1/deploys", func(n int) any {
				return map[string]any{"service": "crash", "environment": "prod", "version": fmt.Sprintf("k%d", n), "actor": "crash"}
			}),
		},
		{
			signal: "gate decisions", senders: 1, stored: storedDecisions,
			send: sendJSON("/sb/v1/gate", func(n int) any {
				return map[string]any{"service": "crash", "environment": "prod", "version": fmt.Sprintf("k%d", n)}
			}),
		},
		{
			signal: "silences", senders: 1, stored: storedSilences,
			send: sendJSON("/api/v2/silences", func(n int) any {
				return map[string]any{
					"matchers": []any{map[string]any{"name": "x", "value": fmt.Sprint(n), "isRegex": false}},
					"startsAt": time.Now().UTC(), "endsAt": time.Now().Add(24 * time.Hour).UTC(), "createdBy": "crash", "comment": fmt.Sprintf("k%d", n),
				}
			}),
		},
		{
			signal: "corrections", senders: 1, stored: storedCorrections,
			send: sendJSON("/sb/v1/slos/crash/corrections", func(n int) any {
				at := epoch.Add(time.Duration(n%1000) * -time.Minute).UTC()
				return map[string]any{"start": at, "end": at.Add(time.Minute), "kind": "maintenance", "author": "crash", "reason": fmt.Sprintf("k%d of the crash test", n)}
			}),
		},
		{signal: "acknowledgements", senders: 1, stored: numbersOf("pages", "acked_by"), send: acknowledge},
	}
}

func sendJSON(path string, body func(n int) any) func(context.Context, *http.Client, string, int) (bool, error) {
	return func(ctx context.Context, c *http.Client, base string, n int) (bool, error) {
		text, err := json.Marshal(body(n))
		if err != nil {
			return false, err
		}
		return post(ctx, c, base+path, "application/json", nil, text)
	}
}

// acknowledge has a page sent and acknowledges it.
func acknowledge(ctx context.Context, c *http.Client, base string, n int) (bool, error) {
	name := fmt.Sprintf("Crash%d", n)
	ok, err := sendJSON("/api/v2/alerts", func(int) any {
		return []any{map[string]any{"labels": map[string]string{"alertname": name, "severity": "critical"}}}
	})(ctx, c, base, n)
	if err != nil || !ok {
		return false, err
	}
	for {
		id, err := pageOf(ctx, c, base, name)
		if err != nil {
			return false, err
		}
		if id != "" {
			return sendJSON("/sb/v1/pages/"+id+"/ack", func(n int) any { return map[string]string{"by": fmt.Sprintf("k%d", n)} })(ctx, c, base, n)
		}
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func pageOf(ctx context.Context, c *http.Client, base, alert string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/sb/v1/pages?limit=50", bytes.NewReader(nil))
	if err != nil {
		return "", err
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", err
	}
	var answer struct {
		Pages []struct {
			ID          string            `json:"id"`
			GroupLabels map[string]string `json:"group_labels"`
		} `json:"pages"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return "", nil // an error in place of pages: ask again
	}
	for _, p := range answer.Pages {
		if p.GroupLabels["alertname"] == alert {
			return p.ID, nil
		}
	}
	return "", nil
}

// numbersOf counts the numbers k1, k2, … in a column of a table.
func numbersOf(table, column string) func(*testing.T, *server, time.Time) map[int]int {
	return func(t *testing.T, s *server, _ time.Time) map[int]int {
		var answer struct {
			Rows [][]any `json:"rows"`
		}
		s.post("/sb/v1/sql", map[string]any{"limit": 100_000, "query": fmt.Sprintf("SELECT %[2]s, count(*) FROM %[1]s WHERE %[2]s LIKE 'k%%' GROUP BY 1", table, column)}, &answer)
		found := map[int]int{}
		for _, r := range answer.Rows {
			found[numberIn(t, r[0].(string))] += int(r[1].(float64))
		}
		return found
	}
}

func numberIn(t *testing.T, text string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(text, "k%d", &n); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return n
}

func storedDecisions(t *testing.T, s *server, _ time.Time) map[int]int {
	found := map[int]int{}
	for before := ""; ; {
		var answer struct {
			Decisions []struct {
				Request struct {
					Version string `json:"version"`
				} `json:"request"`
				Version string `json:"version"`
			} `json:"decisions"`
			Next string `json:"next"`
		}
		s.get("/sb/v1/gate/decisions", url.Values{"limit": {"500"}, "before": {before}}, &answer)
		for _, d := range answer.Decisions {
			found[numberIn(t, d.Request.Version+d.Version)]++
		}
		if before = answer.Next; before == "" {
			return found
		}
	}
}

func storedSilences(t *testing.T, s *server, _ time.Time) map[int]int {
	var silences []struct {
		Comment string `json:"comment"`
	}
	s.get("/api/v2/silences", nil, &silences)
	found := map[int]int{}
	for _, x := range silences {
		found[numberIn(t, x.Comment)]++
	}
	return found
}

func storedCorrections(t *testing.T, s *server, _ time.Time) map[int]int {
	var answer struct {
		Corrections []struct {
			Reason string `json:"reason"`
		} `json:"corrections"`
	}
	s.get("/sb/v1/slos/crash/corrections", url.Values{}, &answer)
	found := map[int]int{}
	for _, x := range answer.Corrections {
		found[numberIn(t, x.Reason)]++
	}
	return found
}
