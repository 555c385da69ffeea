package access

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// ReadLog has a line for each read that could show something restricted: who asked,
// for what, and when. It is a directory with a file of JSON Lines for each day,
// apart from the server's ordinary log, since it names what is restricted. A line
// is handed to the operating system before the read is answered.
type ReadLog struct {
	dir  string
	now  func() time.Time
	zone *time.Location

	mu   sync.Mutex
	day  domain.Date
	file *os.File
}

// Read is a line of the log.
type Read struct {
	Time       time.Time  `json:"time"`
	Request    string     `json:"request"` // its id, as in the server's log
	Principal  domain.Key `json:"principal"`
	Method     string     `json:"method"`
	Route      string     `json:"route"`
	Path       string     `json:"path"`
	Restricted []string   `json:"restricted"` // what was in the scope of the question, as wuxi-2017/project/iot-base
}

// OpenReadLog returns the log in a directory, which is made when there is a line to
// write. now and zone may be nil: the clock, and UTC.
func OpenReadLog(dir string, now func() time.Time, zone *time.Location) *ReadLog {
	if now == nil {
		now = time.Now
	}
	if zone == nil {
		zone = time.UTC
	}
	return &ReadLog{dir: dir, now: now, zone: zone}
}

// Write adds a line; the time is the log's own. What could not be logged must not
// be shown.
func (l *ReadLog) Write(r Read) error {
	r.Time = l.now().UTC()
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.turn(domain.DateOf(r.Time, l.zone)); err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("access log: %w", err)
	}
	return nil
}

// turn opens the file of a day. The lock is held.
func (l *ReadLog) turn(day domain.Date) error {
	if l.file != nil && l.day == day {
		return nil
	}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(l.dir, day.String()+".jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if l.file != nil {
		_ = l.file.Close() // each line was written whole, or refused
	}
	l.file, l.day = file, day
	return nil
}

// Close closes the file of the day.
func (l *ReadLog) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}

// Paths writes what is restricted as a line of the log does.
func Paths(restricted []projections.Restriction) []string {
	paths := make([]string, len(restricted))
	for i, r := range restricted {
		paths[i] = string(r.Agreement) + "/" + path(r)
	}
	return paths
}
