package faults_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/eventstore"
)

// Conditional and idempotent commands, of many clients through two replicas on a
// cluster whose leader is killed, are as if they were done one after the other.
func TestLinearizable(t *testing.T) {
	kills := thorough(t, 0, 10)
	// given a cluster, and clients that change the same few parties
	c := startCluster(t)
	var replicas []replica
	for _, s := range c.replicas {
		replicas = append(replicas, s.changes)
	}
	for n := range partyNumber {
		_, err := c.replicas[0].do(t.Context(), newPromises(), fmt.Sprint("lin-register-", n), "register-party", fmt.Sprintf(`{"party":%q,"title":{"en":"Party"},"kind":"other"}`, partyName(n)))
		require.NoError(t, err)
	}
	h := record(t, 8, 1000, replicas...)
	more := func(by int) {
		enough := h.count() + by
		eventually(t, "changes to be answered", func() bool { return h.count() >= enough })
	}
	// when leaders are killed meanwhile
	more(500)
	for range kills {
		leader := c.leader(t)
		leader.kill()
		more(100)
		leader.start(t)
		leader.await(t)
		more(100)
	}
	// then there is an order that explains all answers
	requireLinearizable(t, h.stop(), porcupine.Ok)
}

// The checker sees where versions are not compared, and where keys are forgotten.
func TestTheCheckerSeesWhatIsNotLinearizable(t *testing.T) {
	for _, c := range []struct {
		name   string
		broken func(replica) replica
		want   porcupine.CheckResult
	}{
		{"as it is", func(r replica) replica { return r }, porcupine.Ok},
		{"versions are not compared", careless, porcupine.Illegal},
		{"keys are forgotten", forgetful, porcupine.Illegal},
	} {
		t.Run(c.name, func(t *testing.T) {
			// given two ledgers on one log
			store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "main"})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, store.Close()) })
			var replicas []replica
			for range 2 {
				replicas = append(replicas, c.broken(changesOf(ledger.New(store, ledger.Options{Name: "main"}))))
			}
			registering := ledger.New(store, ledger.Options{Name: "main"})
			for n := range partyNumber {
				_, err := registering.Execute(t.Context(), ledger.Request{
					Command: party.Register{Party: domain.Key(partyName(n)), Title: domain.Text{"en": "Party"}, Kind: "other"},
				})
				require.NoError(t, err)
			}
			// when clients change parties through both
			h := record(t, 9, 1, replicas...)
			eventually(t, "changes to be answered", func() bool { return h.count() >= 300 })
			// then the order shows, or that there is none
			requireLinearizable(t, h.stop(), c.want)
		})
	}
}

// careless carries a change out whatever version it expects.
func careless(r replica) replica {
	return func(ctx context.Context, c change) verdict {
		c.expect = 0
		return r(ctx, c)
	}
}

// forgetful carries a change out as often as it is sent.
func forgetful(r replica) replica {
	var sent atomic.Uint64
	return func(ctx context.Context, c change) verdict {
		c.key = fmt.Sprintf("%s-%d-%p", c.key, sent.Add(1), &sent)
		return r(ctx, c)
	}
}

func (c change) title() string { return "Changed by " + c.key }

var isAt = regexp.MustCompile(`is at version (\d+), not`)

// refusal reads at which version a party is instead of the one that was expected.
func refusal(code, detail string) verdict {
	m := isAt.FindStringSubmatch(detail)
	if code != domain.CodeStaleVersion || m == nil {
		return verdict{}
	}
	version, _ := strconv.ParseUint(m[1], 10, 64) // digits
	return verdict{known: true, version: version}
}

// changes carries a change out through the API.
func (s *server) changes(ctx context.Context, c change) verdict {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	header := []string{"Idempotency-Key", c.key, "Milepost-Actor", "tester"}
	if c.expect > 0 {
		header = append(header, "If-Match", fmt.Sprintf(`"%d"`, c.expect))
	}
	a, err := s.ask(ctx, "POST", "/v1/commands/change-party", strings.NewReader(fmt.Sprintf(`{"party":%q,"title":{"en":%q}}`, c.party, c.title())), header...)
	if err != nil {
		return verdict{}
	}
	var body struct {
		Version      uint64
		Code, Detail string
	}
	if err := json.Unmarshal(a.body, &body); err != nil {
		return verdict{}
	}
	switch {
	case a.done():
		return verdict{known: true, done: true, version: body.Version}
	case a.status == http.StatusPreconditionFailed:
		return refusal(body.Code, body.Detail)
	}
	return verdict{}
}

// changesOf carries changes out through a ledger in this process.
func changesOf(l *ledger.Ledger) replica {
	return func(ctx context.Context, c change) verdict {
		req := ledger.Request{
			Command: party.Change{Party: domain.Key(c.party), Title: domain.Text{"en": c.title()}},
			Meta:    domain.Meta{IdempotencyKey: c.key},
		}
		if c.expect > 0 {
			req.Meta.ExpectedVersion = &c.expect
		}
		receipt, err := l.Execute(ctx, req)
		if err == nil {
			return verdict{known: true, done: true, version: receipt.Version}
		}
		if rejected := (*domain.Rejected)(nil); errors.As(err, &rejected) {
			return refusal(rejected.Code, rejected.Error())
		}
		return verdict{}
	}
}
