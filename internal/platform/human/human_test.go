package human

import (
	"math"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0 s"},
		{3*time.Hour + 10*time.Minute + 4*time.Second, "3 h 10 m"},
		{28 * 24 * time.Hour, "28 d"},
		{45 * time.Second, "45 s"},
		{90 * time.Second, "1 m 30 s"},
		{59*time.Minute + 59*time.Second + 700*time.Millisecond, "1 h"},
		{26*time.Hour + 31*time.Minute, "1 d 3 h"},
		{1500 * time.Microsecond, "1.5 ms"},
		{-2 * time.Minute, "-2 m"},
	} {
		if got := Duration(c.d); got != c.want {
			t.Errorf("Duration(%s) = %q, want %q", c.d, got, c.want)
		}
	}
	if got := Exact(3*time.Hour + 21*time.Minute + 36*time.Second); got != "3 h 21 m 36 s" {
		t.Errorf("Exact = %q", got)
	}
	if got := Seconds(math.Inf(1)); got != "never" {
		t.Errorf("Seconds(+Inf) = %q", got)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Number(21.345), "21.3"},
		{Number(14), "14"},
		{Number(0.031249), "0.0312"},
		{Number(9310.4), "9,310"},
		{Number(-1234567), "-1,234,567"},
		{Number(999.96), "1,000"},
		{Number(0), "0"},
		{Number(math.NaN()), "no value"},
		{Number(math.Inf(1)), "+∞"},
		{Percent(0.421), "42.1 %"},
		{Percent(0.995), "99.5 %"},
		{Percent(0.9995), "99.95 %"},
		{Percent(0.99999), "99.999 %"},
		{Percent(1), "100 %"},
		{Percent(-0.2), "-20 %"},
		{Times(14.4), "14.4×"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}
