package projections_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

func TestReplayReadsTheEvidence(t *testing.T) {
	// given a log whose events name two files, one of them twice, and that of the story
	l, store := stored(t)
	l.story()
	put := func(text string) domain.Hash {
		e, err := store.PutEvidence(t.Context(), strings.NewReader(text), "")
		require.NoError(t, err)
		return domain.Hash(e.Hash)
	}
	report, photo := put("A report."), put("A photograph.")
	percent := 60
	cite := func(hashes ...domain.Hash) uint64 {
		percent++
		return l.do(project.ReportProgress{MilestoneID: milestone("build"), Percent: percent}, domain.Meta{Evidence: hashes})
	}
	first := cite(report)
	second := cite(photo, report)
	m := models(t, t.TempDir(), nil)
	follow(t, m, store)
	reach(t, m, l.seq)
	files := beside{store, domaintest.File}
	replay := func() projections.Replayed {
		r, err := m.Replay(t.Context(), store, projections.ReplayOptions{Files: files})
		require.NoError(t, err)
		require.Equal(t, r.Difference == nil, r.Identical)
		return r
	}

	// when it is replayed, then all are read
	var seen []uint64
	r, err := m.Replay(t.Context(), store, projections.ReplayOptions{Files: files, Progress: func(done, total uint64) { seen = append(seen, done, total) }})
	require.NoError(t, err)
	assert.True(t, r.Identical)
	assert.Equal(t, new(3), r.Evidence)
	assert.Equal(t, seen[len(seen)-2], seen[len(seen)-1])
	assert.NotEqual(t, l.seq, seen[len(seen)-1], "of the files, after the events")

	// and left out where that is not asked for.
	assert.Nil(t, replayed(t, m, store).Evidence)

	// When a file is damaged, then the first event that names it is told.
	unmake(t, store, photo)
	r = replay()
	require.False(t, r.Identical)
	assert.Equal(t, &projections.Difference{
		Code: projections.DiffersEvidence, Seq: second, Agreement: "framework", Entity: "project/iot-base",
		What: fmt.Sprintf("the file %s that it names is damaged: 13 of 13 bytes are missing", photo),
	}, r.Difference)
	assert.Equal(t, m.Position().Digest, r.Digest, "the log is what it was")

	// When more are, then of the first it is said which, and of the others how many.
	unmake(t, store, report)
	assert.Equal(t, first, replay().Difference.Seq)
	lost := domain.Hash(strings.Repeat("ab", 32))
	cite(lost)
	r = replay()
	assert.Equal(t, first, r.Difference.Seq)
	assert.True(t, strings.HasSuffix(r.Difference.What, "; so it is with 2 more"), r.Difference.What)

	// When they are put again, then what was never there is left.
	put("A report.")
	put("A photograph.")
	r = replay()
	assert.Equal(t, fmt.Sprintf("the file %s that it names as evidence is not stored", lost), r.Difference.What)
	assert.Equal(t, l.seq, r.Difference.Seq)
}

// A hash in what an event says is that of a file which may have been stored, and if it
// was is held to it; what nobody stored is on paper.
func TestReplayReadsSignedDocuments(t *testing.T) {
	// given an agreement whose signed text was attached
	l, store := stored(t)
	text, err := store.PutEvidence(t.Context(), strings.NewReader("The signed text."), "")
	require.NoError(t, err)
	l.signed(framework)
	drafted := l.do(agreement.Draft{
		Agreement: "second", Kind: "framework", Title: domain.Text{"en": "Second"}, Document: domain.Hash(text.Hash),
		Parties: []domain.Key{domaintest.City, domaintest.Group},
	})
	m := models(t, t.TempDir(), nil)
	follow(t, m, store)
	reach(t, m, l.seq)
	r, err := m.Replay(t.Context(), store, projections.ReplayOptions{Files: store})
	require.NoError(t, err)
	require.True(t, r.Identical, r.Difference)
	assert.Equal(t, new(1), r.Evidence, "the other texts are on paper")

	// when that is damaged, then it is told
	unmake(t, store, domain.Hash(text.Hash))
	r, err = m.Replay(t.Context(), store, projections.ReplayOptions{Files: store})
	require.NoError(t, err)
	require.NotNil(t, r.Difference)
	assert.Equal(t, projections.DiffersEvidence, r.Difference.Code)
	assert.Equal(t, drafted, r.Difference.Seq)
}

// unmake has a file described as one of which no piece is stored.
func unmake(t *testing.T, store *eventstore.Store, hash domain.Hash) {
	t.Helper()
	js, err := jetstream.New(store.Raw())
	require.NoError(t, err)
	subject := "$O." + store.EvidenceBucket() + ".M." + base64.URLEncoding.EncodeToString([]byte(hash))
	_, err = js.Publish(t.Context(), subject, []byte(`{"nuid":"gone","size":13}`))
	require.NoError(t, err)
}

// beside is a store that has one file more, of which nobody has the bytes.
type beside struct {
	*eventstore.Store
	hash domain.Hash
}

func (b beside) CheckEvidence(ctx context.Context, hash string) error {
	if hash == string(b.hash) {
		return nil
	}
	return b.Store.CheckEvidence(ctx, hash)
}

// unread is where no file can be read.
type unread struct{ error }

func (u unread) CheckEvidence(context.Context, string) error { return u.error }

// A file that could not be looked at is neither whole nor damaged.
func TestReplayThatCannotReadTheEvidence(t *testing.T) {
	l, log := inMemory(t)
	l.story()
	m, done := fresh(t, log)
	defer done()
	down := errors.New("the server is down")
	_, err := m.Replay(t.Context(), log, projections.ReplayOptions{Files: unread{down}})
	require.ErrorIs(t, err, down)
}
