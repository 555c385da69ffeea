package eventstore_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Servers that come together, or go, lose what they are asked or their answer. That
// costs the time until it is asked again, and is no error.
func TestAsk_whatIsLostWhileOpeningIsAskedAgain(t *testing.T) {
	p := newProxy(t, external(t).ClientURL())
	for i, lost := range []string{"$JS.API.STREAM.INFO.milepost", "$JS.API.STREAM.CREATE.milepost", "$JS.API.STREAM.INFO.OBJ_", "$JS.API.STREAM.CREATE.OBJ_"} {
		t.Run(lost, func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, p.url())
			p.lose(lost)
			s := openWith(t, eventstore.Config{URL: p.url(), Ledger: fmt.Sprint("l", i)})
			require.False(t, p.losing())
			_, err := s.Append(t.Context(), []eventstore.Message{{Subject: eventstore.Subject(fmt.Sprint("l", i), "a1", "project", "p1"), Data: []byte("{}")}})
			require.NoError(t, err)
		})
	}
}

func TestAsk_whatIsLostOfAnOpenLogIsAskedAgain(t *testing.T) {
	// given a log with a file, and with readers outside
	srv := external(t)
	file := []byte("a file")
	s := openWith(t, eventstore.Config{URL: srv.ClientURL(), Ledger: "test"})
	mustAppend(t, s, message("p1", 0, "one"), message("p2", 0, "two"))
	_, err := s.PutEvidence(t.Context(), bytes.NewReader(file), "")
	require.NoError(t, err)
	for _, name := range []string{"there", "other"} {
		require.NoError(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: name}))
	}
	for lost, ask := range map[string]func(*testing.T, *eventstore.Store) error{
		"$JS.API.STREAM.INFO.OBJ_": func(t *testing.T, s *eventstore.Store) error {
			hashes, err := s.EvidenceHashes(t.Context())
			assert.Len(t, hashes, 1)
			return err
		},
		"$JS.API.STREAM.MSG.GET.OBJ_": func(t *testing.T, s *eventstore.Store) error {
			hashes, err := s.EvidenceHashes(t.Context())
			require.NoError(t, err)
			r, err := s.Evidence(t.Context(), hashes[0])
			require.NoError(t, err)
			b, err := io.ReadAll(r)
			assert.Equal(t, file, b)
			return err
		},
		"$JS.API.CONSUMER.CREATE.": func(t *testing.T, s *eventstore.Store) error {
			return s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: "new"})
		},
		"$JS.API.CONSUMER.INFO.": func(t *testing.T, s *eventstore.Store) error {
			return s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: "there"})
		},
		"$JS.API.CONSUMER.LIST.": func(t *testing.T, s *eventstore.Store) error {
			states, err := s.Consumers(t.Context())
			assert.NotEmpty(t, states)
			return err
		},
		"$JS.API.CONSUMER.PAUSE.":  func(t *testing.T, s *eventstore.Store) error { return s.PauseConsumer(t.Context(), "there") },
		"$JS.API.CONSUMER.DELETE.": func(t *testing.T, s *eventstore.Store) error { return s.DeleteConsumer(t.Context(), "other") },
		"$JS.API.CONSUMER.CREATE.milepost-test.": func(t *testing.T, s *eventstore.Store) error { // of a reader
			n := 0
			for _, err := range s.Read(t.Context(), 1, 0, "") {
				if err != nil {
					return err
				}
				n++
			}
			assert.Equal(t, 2, n)
			return nil
		},
	} {
		t.Run(strings.TrimPrefix(lost, "$JS.API."), func(t *testing.T) {
			t.Parallel()
			p := newProxy(t, srv.ClientURL())
			s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
			// when a question is lost
			p.lose(lost)
			// then there is an answer
			require.NoError(t, ask(t, s))
			assert.False(t, p.losing())
		})
	}
}

// A ledger that is started with the servers of its log waits for them to have a leader,
// longer than for an answer.
func TestOpen_waitsForALeader(t *testing.T) {
	t.Parallel()
	// given one server of three, and a ledger that has asked it in vain
	members, warned := members(t), make(warnings, 16)
	url := members[0]().ClientURL()
	opened := make(chan error, 1)
	go func() {
		s, err := eventstore.Open(t.Context(), eventstore.Config{URL: url, Ledger: "test", Logger: slog.New(slog.NewTextHandler(warned, nil))})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	for asked := false; !asked; {
		select {
		case line := <-warned:
			asked = strings.Contains(line, "do not answer yet")
		case err := <-opened:
			require.Failf(t, "it did not wait", "%v", err)
		}
	}
	// when the others come
	members[1]()
	members[2]()
	// then it opens
	require.NoError(t, <-opened)
}

// warnings are the lines of a log.
type warnings chan string

func (w warnings) Write(b []byte) (int, error) {
	w <- string(b)
	return len(b), nil
}
