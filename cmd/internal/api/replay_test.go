package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/projections"
)

// lines reads JSON Lines.
func (r reply) lines() (lines []ReplayLine) {
	r.t.Helper()
	assert.Equal(r.t, mediaLines, r.header.Get("Content-Type"))
	for text := range strings.Lines(string(r.body)) {
		var line ReplayLine
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		require.NoError(r.t, dec.Decode(&line))
		lines = append(lines, line)
	}
	require.NotEmpty(r.t, lines)
	return lines
}

func TestReplay(t *testing.T) {
	// given
	r := start(t)
	last := r.scheduled()
	require.NoError(t, r.models.Wait(t.Context(), last.Seq))
	// when
	lines := r.send(http.MethodPost, "/v1/replay", "").is(http.StatusOK).lines()
	// then it says how far it was, and that all is as it was
	result := lines[len(lines)-1].Result
	require.NotNil(t, result)
	assert.True(t, result.Identical, result.Difference)
	assert.Equal(t, [2]uint64{last.Seq, last.Seq}, [2]uint64{result.Seq, result.Events})
	assert.Equal(t, r.models.Position().Digest, result.Digest)
	ends := []uint64{}
	for _, line := range lines[:len(lines)-1] {
		if assert.LessOrEqual(t, *line.Done, *line.Total); *line.Done == *line.Total {
			ends = append(ends, *line.Total)
		}
	}
	require.Equal(t, []uint64{last.Seq, 1}, ends, "of the events, and of the text that was signed")

	t.Run("names what is wrong", func(t *testing.T) {
		r := r.on(t)
		r.halt() // it would stop there
		poison(t, r)
		lines := r.send(http.MethodPost, "/v1/replay", "").is(http.StatusOK).lines()
		result := lines[len(lines)-1].Result
		require.NotNil(t, result)
		assert.False(t, result.Identical)
		assert.Equal(t, projections.DiffersEvent, result.Difference.Code)
		assert.Equal(t, last.Seq+1, result.Difference.Seq)
		assert.Equal(t, "party/later", result.Difference.Entity)

		p := r.send(http.MethodPost, "/v1/replay/models", "").is(http.StatusOK) // up to where the read models are
		assert.Equal(t, fmt.Sprint(last.Seq), p.header.Get(headerSeq))
	})
	t.Run("reads the evidence, or leaves it out", func(t *testing.T) {
		for query, files := range map[string]*int{"": new(0), "?evidence=true": new(0), "?evidence=false": nil} {
			lines := r.on(t).send(http.MethodPost, "/v1/replay"+query, "").is(http.StatusOK).lines()
			assert.Equal(t, files, lines[len(lines)-1].Result.Evidence, query)
		}
		r.on(t).send(http.MethodPost, "/v1/replay?evidence=maybe", "").problem(http.StatusBadRequest, CodeInvalidParameter)
	})
	t.Run("takes no other parameters", func(t *testing.T) {
		r.on(t).send(http.MethodPost, "/v1/replay?to=seq:1", "").problem(http.StatusBadRequest, CodeUnknownParameter)
		r.on(t).get("/v1/replay").problem(http.StatusMethodNotAllowed, CodeMethod)
	})
}

func TestOneReplayRunsAtATime(t *testing.T) {
	// given a replay that does not get on
	r := start(t)
	last := r.scheduled()
	require.NoError(t, r.models.Wait(t.Context(), last.Seq))
	begun, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	begin := sync.OnceFunc(func() { close(begun) })
	go func() {
		_, err := r.models.Replay(context.Background(), r.store, projections.ReplayOptions{Progress: func(uint64, uint64) {
			begin()
			<-goOn
		}})
		ended <- err
	}()
	<-begun
	// when somebody asks for another
	p := r.send(http.MethodPost, "/v1/replay", "").problem(http.StatusServiceUnavailable, CodeBusy)
	// then he is told
	assert.NotEmpty(t, p.Detail)
	r.send(http.MethodPost, "/v1/replay/models", "").problem(http.StatusServiceUnavailable, CodeBusy)
	close(goOn)
	require.NoError(t, <-ended)
	r.send(http.MethodPost, "/v1/replay", "").is(http.StatusOK)
}

// A client that goes away ends its replay.
func TestReplayEndsWithItsClient(t *testing.T) {
	r := start(t)
	last := r.scheduled()
	require.NoError(t, r.models.Wait(t.Context(), last.Seq))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	req := httptest.NewRequestWithContext(gone, http.MethodPost, "/v1/replay", nil)
	require.ErrorIs(t, r.server.runReplay(httptest.NewRecorder(), req), context.Canceled)
	require.ErrorIs(t, r.server.replayModels(httptest.NewRecorder(), req), context.Canceled)
	r.send(http.MethodPost, "/v1/replay", "").is(http.StatusOK)
}

func TestReplayModels(t *testing.T) {
	// given
	r := start(t)
	last := r.scheduled()
	require.NoError(t, r.models.Wait(t.Context(), last.Seq))
	for to, seq := range map[string]uint64{"": last.Seq, "?to=seq:3": 3, "?to=2019-03-01": last.Seq} {
		// when
		answer := r.send(http.MethodPost, "/v1/replay/models"+to, "").is(http.StatusOK)
		// then a file comes, and says how far it goes
		assert.Equal(t, mediaSQLite, answer.header.Get("Content-Type"))
		assert.Equal(t, fmt.Sprint(seq), answer.header.Get(headerSeq), to)
		assert.Len(t, answer.header.Get(headerDigest), 64)
		assert.True(t, bytes.HasPrefix(answer.body, []byte("SQLite format 3\x00")))
		assert.Contains(t, answer.header.Get("Content-Disposition"), fmt.Sprintf("replay-%d.db", seq))
	}
	for to, code := range map[string]string{"2019-02-30": projections.CodeInvalidAsOf, "later": projections.CodeInvalidAsOf} {
		p := r.send(http.MethodPost, "/v1/replay/models?to="+to, "").problem(http.StatusBadRequest, code)
		assert.Equal(t, "to", p.Field)
	}
	for _, to := range []string{"2019-02-01", "seq:0"} {
		p := r.send(http.MethodPost, "/v1/replay/models?to="+to, "").problem(http.StatusUnprocessableEntity, projections.CodeAsOfBeforeFirst)
		assert.Equal(t, "to", p.Field)
	}
	for _, to := range []string{"seq:999", "2031-01-01"} {
		r.send(http.MethodPost, "/v1/replay/models?to="+to, "").problem(http.StatusUnprocessableEntity, projections.CodeAsOfInFuture)
	}
	r.send(http.MethodPost, "/v1/replay/models?at=seq:3", "").problem(http.StatusBadRequest, CodeUnknownParameter)
	// and none is left
	names, err := os.ReadDir(r.server.cfg.ModelsDir)
	require.NoError(t, err)
	for _, name := range names {
		assert.Regexp(t, `^read-v\d+-\d+\.db(-wal|-shm)?$`, name.Name())
	}
}
