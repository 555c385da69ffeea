package webhook

import (
	"net/http"
	"strconv"
	"time"
)

// Schedule is how long to wait after the first failure in a row, the second, and
// so on; the last holds for all that follow. It is that of Standard Webhooks with
// an end at two hours: since the next event waits for the one before, a receiver
// that is back should not wait for half a day.
var Schedule = []time.Duration{
	5 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
}

// patience is how long nothing but failures may come before a webhook is disabled.
const patience = 5 * 24 * time.Hour

// longestPause is that which Schedule ends with, and the most that Retry-After is
// heeded for.
func longestPause() time.Duration { return Schedule[len(Schedule)-1] }

// pauseAfter is how long to wait after so many failures in a row. The receiver
// may ask for more. Chance, from 0 to 1, spreads those that failed together by a
// quarter to each side.
func pauseAfter(failures int, asked time.Duration, chance float64) time.Duration {
	pause := Schedule[min(failures, len(Schedule))-1]
	pause = time.Duration(float64(pause) * (0.75 + chance/2))
	return max(pause, min(asked, longestPause()))
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return at.Sub(now)
	}
	return 0
}
