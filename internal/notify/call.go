package notify

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/signalbox-project/signalbox/internal/platform/clip"
	"github.com/signalbox-project/signalbox/internal/platform/redact"
)

const (
	maxAnswer   = 1 << 20
	shownAnswer = 200 // characters of an answer in an error
	maxPatience = time.Hour
)

// Answer is what a service answered over HTTP.
type Answer struct {
	Status int
	Body   []byte
	// After is how long the service asks to wait; 0 where it does not.
	After time.Duration
}

// Ask sends one request to a service and answers with what it said, whatever the status; Err judges that. An error names neither
// the address nor a header: for many services they are the secret. Redirects are not followed, since a POST would
// become a GET, and secrets would go where nobody meant them to.
func Ask(client *http.Client, r *http.Request) (Answer, error) {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := c.Do(r)
	if err != nil {
		var in *url.Error
		if errors.As(err, &in) {
			err = in.Err
		}
		return Answer{}, fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return Answer{}, fmt.Errorf("the answer broke off: %w", err)
	}
	return Answer{Status: resp.StatusCode, Body: body, After: patience(resp.Header, time.Now())}, nil
}

// patience reads Retry-After, in seconds or as a date.
func patience(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < maxPatience.Seconds() {
		return time.Duration(n * float64(time.Second))
	} else if err == nil && n >= maxPatience.Seconds() {
		return maxPatience
	}
	if at, err := http.ParseTime(text); err == nil && at.After(now) {
		return min(at.Sub(now), maxPatience)
	}
	return 0
}

// Err is nil for a status of 2xx. Other answers are worth another try when the service says that it has trouble (5xx) or that it
// is asked too often (408, 425, 429), and refused otherwise.
func (a Answer) Err() error {
	if a.Status/100 == 2 {
		return nil
	}
	err := fmt.Errorf("status %d", a.Status)
	if said := strings.ToValidUTF8(string(a.Body[:min(len(a.Body), 4*shownAnswer)]), ""); said != "" {
		err = fmt.Errorf("status %d: %s", a.Status, clip.Text(redact.Text(clip.Line(said)), shownAnswer))
	}
	switch {
	case a.After > 0 && (a.Status == http.StatusTooManyRequests || a.Status >= 500):
		return Later(err, a.After)
	case a.Status == http.StatusRequestTimeout, a.Status == http.StatusTooEarly, a.Status == http.StatusTooManyRequests, a.Status >= 500:
		return err
	}
	return Refused(err)
}
