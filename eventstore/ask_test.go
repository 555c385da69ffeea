package eventstore_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Servers that come together, or go, lose what they are asked or their answer. That
// costs the time until it is asked again, and is no error.
func TestAsk_whatIsLostWhileOpeningIsAskedAgain(t *testing.T) {
	srv := external(t)
	for i, lost := range []string{"$JS.API.STREAM.INFO.milepost", "$JS.API.STREAM.CREATE.milepost", "$JS.API.STREAM.INFO.OBJ_", "$JS.API.STREAM.CREATE.OBJ_"} {
		for what, do := range map[string]func([]byte) []byte{"question": question, "answer": answer} {
			t.Run(what+" "+strings.TrimPrefix(lost, "$JS.API."), func(t *testing.T) {
				t.Parallel()
				p, ledger := newProxy(t, srv.ClientURL()), fmt.Sprint(what, i)
				p.next(lost, do)
				s := openWith(t, eventstore.Config{URL: p.url(), Ledger: ledger})
				require.False(t, p.awaits())
				_, err := s.Append(t.Context(), []eventstore.Message{{Subject: eventstore.Subject(ledger, "a1", "project", "p1"), Data: []byte("{}")}})
				require.NoError(t, err)
			})
		}
	}
}

func TestAsk_whatIsLostOfAnOpenLogIsAskedAgain(t *testing.T) {
	file := []byte("a file")
	names := func(t *testing.T, s *eventstore.Store) (names []string) {
		states, err := s.Consumers(t.Context())
		require.NoError(t, err)
		for _, state := range states {
			names = append(names, state.Name)
			if state.Paused {
				names = append(names, "paused")
			}
		}
		return names
	}
	ensure := func(name string, all ...string) func(*testing.T, *eventstore.Store) {
		return func(t *testing.T, s *eventstore.Store) {
			require.NoError(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: name}))
			assert.Equal(t, all, names(t, s))
		}
	}
	for lost, ask := range map[string]func(*testing.T, *eventstore.Store){
		"STREAM.INFO.OBJ_": func(t *testing.T, s *eventstore.Store) {
			hashes, err := s.EvidenceHashes(t.Context())
			require.NoError(t, err)
			assert.Equal(t, []string{sha(file)}, hashes)
		},
		"STREAM.MSG.GET.OBJ_": func(t *testing.T, s *eventstore.Store) {
			r, err := s.Evidence(t.Context(), sha(file))
			require.NoError(t, err)
			b, err := io.ReadAll(r)
			require.NoError(t, err)
			assert.Equal(t, file, b)
		},
		"CONSUMER.CREATE.": ensure("new", "new", "other", "there"),
		"CONSUMER.INFO.":   ensure("there", "other", "there"),
		"CONSUMER.LIST.":   func(t *testing.T, s *eventstore.Store) { assert.Equal(t, []string{"other", "there"}, names(t, s)) },
		"CONSUMER.PAUSE.": func(t *testing.T, s *eventstore.Store) {
			require.NoError(t, s.PauseConsumer(t.Context(), "there"))
			assert.Equal(t, []string{"other", "there", "paused"}, names(t, s))
		},
		"CONSUMER.DELETE.": func(t *testing.T, s *eventstore.Store) {
			require.NoError(t, s.DeleteConsumer(t.Context(), "other"))
			assert.Equal(t, []string{"there"}, names(t, s))
		},
		"CONSUMER.CREATE.milepost-": func(t *testing.T, s *eventstore.Store) { // a reader's, which is not left behind
			var read []string
			for r, err := range s.Read(t.Context(), 1, 0, subject("p2")) {
				require.NoError(t, err)
				read = append(read, line(r))
			}
			assert.Equal(t, []string{"2 p2 two"}, read)
			js, err := jetstream.New(s.Raw())
			require.NoError(t, err)
			st, err := js.Stream(t.Context(), logStream)
			require.NoError(t, err)
			assert.Equal(t, 2, st.CachedInfo().State.Consumers)
		},
	} {
		for what, do := range map[string]func([]byte) []byte{"question": question, "answer": answer} {
			t.Run(what+" "+lost, func(t *testing.T) {
				t.Parallel()
				// given a log with a file, and with readers outside
				p := newProxy(t, external(t).ClientURL())
				s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
				mustAppend(t, s, message("p1", 0, "one"), message("p2", 0, "two"))
				_, err := s.PutEvidence(t.Context(), bytes.NewReader(file), "")
				require.NoError(t, err)
				for _, name := range []string{"there", "other"} {
					require.NoError(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: name}))
				}
				// when something is lost
				p.next("$JS.API."+lost, do)
				// then there is an answer
				ask(t, s)
				assert.False(t, p.awaits())
			})
		}
	}
}

// A cluster's server answers for readers only after it has waited 4 s for those that a
// server leads which hangs.
func TestConsumers_areListedByAServerThatWaitsForAnother(t *testing.T) {
	t.Parallel()
	p := newProxy(t, external(t).ClientURL())
	s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
	require.NoError(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: "there"}))
	var late func([]byte) []byte
	late = func(asked []byte) []byte {
		p.next("$JS.API.CONSUMER.LIST.", late) // also the next one
		<-time.After(4 * time.Second)
		return asked
	}
	p.next("$JS.API.CONSUMER.LIST.", late)
	states, err := s.Consumers(t.Context())
	require.NoError(t, err)
	assert.Len(t, states, 1)
}

// A ledger that is started with the servers of its log waits until all are there that are
// to keep it, longer than for an answer: else it would be kept by one for good.
func TestOpen_waitsForTheServersOfItsLog(t *testing.T) {
	t.Parallel()
	// given one server of three, and a ledger that has asked it in vain
	members, warned := members(t), make(warnings)
	servers := []*server.Server{members[0]()}
	opened := make(chan error, 1)
	var info eventstore.Info
	go func() {
		s, err := eventstore.Open(t.Context(), eventstore.Config{URL: servers[0].ClientURL(), Ledger: "test", Logger: slog.New(slog.NewTextHandler(warned, nil))})
		if err == nil {
			if info, err = s.Info(t.Context()); err == nil {
				err = s.Close()
			}
		}
		opened <- err
	}()
	until := func(said string) {
		for asked := false; !asked; {
			select {
			case line := <-warned:
				asked = strings.Contains(line, said)
			case err := <-opened:
				require.Failf(t, "it did not wait", "%v", err)
			}
		}
	}
	until("no answer in")
	// and then one of two
	servers = append(servers, members[1]())
	until("so many are not there")
	// when the third one comes
	go func() {
		for range warned {
		}
	}()
	members[2]()
	// then the ledger is made, on all of them
	require.NoError(t, <-opened)
	assert.Equal(t, 3, info.Replicas)
	close(warned)
}

// warnings are the lines of a log.
type warnings chan string

func (w warnings) Write(b []byte) (int, error) {
	w <- string(b)
	return len(b), nil
}

// So does one whose connection is cut while it opens.
func TestOpen_waitsForItsConnection(t *testing.T) {
	t.Parallel()
	srv := external(t)
	p := newProxy(t, srv.ClientURL())
	p.next("$JS.API.STREAM.INFO.", func([]byte) []byte {
		p.aim("127.0.0.1:1") // where nobody listens
		p.cut()
		time.AfterFunc(3*time.Second, func() { p.aim(srv.ClientURL()) })
		return nil
	})
	s := openWith(t, eventstore.Config{URL: p.url(), Ledger: "test"})
	mustAppend(t, s, message("p1", 0, "one"))
}
