package backup

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
)

// cite appends an event that names a file.
func (r *rig) cite(t *testing.T, key, hash string) uint64 {
	t.Helper()
	env := domain.Envelope{
		ID: "01900000-0000-7000-8000-000000000001", Source: "/ledgers/test", Type: "milepost.project.proposed.v1", Time: time.Now(),
		Ref: domain.Ref{Agreement: "pact", Kind: "project", Key: domain.Key(key)}, Version: 1, Actor: "li.wei",
		CommandID: key, Evidence: []domain.Hash{domain.Hash(hash)}, Data: []byte(`{"paper":"` + strings.Repeat("cd", 32) + `"}`),
	}
	seq, err := r.store.Append(t.Context(), []eventstore.Message{{Subject: eventstore.Subject("test", "pact", "project", key), Data: env.Append(nil), ID: "id-" + key}})
	require.NoError(t, err)
	return seq
}

// sign appends an event that has the hash of a signed text in what it says.
func (r *rig) sign(t *testing.T, key, hash string) uint64 {
	t.Helper()
	env := domain.Envelope{
		ID: "01900000-0000-7000-8000-000000000002", Source: "/ledgers/test", Type: "milepost.agreement.drafted.v1", Time: time.Now(),
		Ref: domain.Ref{Agreement: domain.Key(key), Kind: "agreement", Key: domain.Key(key)}, Version: 1, Actor: "li.wei",
		CommandID: key, Data: []byte(`{"document":"` + hash + `"}`),
	}
	seq, err := r.store.Append(t.Context(), []eventstore.Message{{Subject: eventstore.Subject("test", key, "agreement", key), Data: env.Append(nil), ID: "id-" + key}})
	require.NoError(t, err)
	return seq
}

// damage has a file described as one of which no piece is stored.
func (r *rig) damage(t *testing.T, hash string) {
	t.Helper()
	js, err := jetstream.New(r.store.Raw())
	require.NoError(t, err)
	_, err = js.Publish(t.Context(), "$O."+r.store.EvidenceBucket()+".M."+base64.URLEncoding.EncodeToString([]byte(hash)), []byte(`{"nuid":"none","size":13}`))
	require.NoError(t, err)
}

// Damaged evidence does not keep the rest from being saved, and whoever writes or reads
// a backup learns what it has not.
func TestBackupWithoutDamagedEvidence(t *testing.T) {
	// given events that name a file that is whole, one that is damaged, twice, one that
	// is not there, and one that was signed; and one that nobody has named yet
	r := start(t)
	torn, err := r.store.PutEvidence(t.Context(), strings.NewReader("A photograph."), "")
	require.NoError(t, err)
	r.cite(t, "whole", r.hash)
	damaged := r.cite(t, "damaged", torn.Hash)
	gone := r.cite(t, "gone", strings.Repeat("ab", 32))
	r.cite(t, "again", torn.Hash)
	text, err := r.store.PutEvidence(t.Context(), strings.NewReader("The signed text."), "")
	require.NoError(t, err)
	signed := r.sign(t, "signed", text.Hash)
	unnamed, err := r.store.PutEvidence(t.Context(), strings.NewReader("A draft."), "")
	require.NoError(t, err)
	for _, hash := range []string{torn.Hash, text.Hash, unnamed.Hash} {
		r.damage(t, hash)
	}
	want := []Lost{{unnamed.Hash, 0}, {torn.Hash, damaged}, {strings.Repeat("ab", 32), gone}, {text.Hash, signed}}

	// when it is backed up, then those are named, by who writes it and who reads it
	var out bytes.Buffer
	lost, err := r.source().Write(t.Context(), &out)
	require.NoError(t, err)
	require.Equal(t, want, lost)
	s, err := Verify(t.Context(), bytes.NewReader(out.Bytes()), Options{})
	require.NoError(t, err)
	require.Equal(t, want, s.Lost)
	require.Equal(t, 1, s.Manifest.Evidence)

	// and what is restored has the others
	dir := t.TempDir()
	s, err = Restore(t.Context(), bytes.NewReader(out.Bytes()), Place{Dir: dir}, Options{})
	require.NoError(t, err)
	require.Equal(t, want, s.Lost)
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	require.NoError(t, store.CheckEvidence(t.Context(), r.hash))
	require.ErrorIs(t, store.CheckEvidence(t.Context(), torn.Hash), eventstore.ErrEvidenceNotFound)

	// and once the file is put again, a backup has it.
	for _, file := range []string{"A photograph.", "The signed text.", "A draft."} {
		_, err = r.store.PutEvidence(t.Context(), strings.NewReader(file), "")
		require.NoError(t, err)
	}
	s, err = Verify(t.Context(), bytes.NewReader(r.backup(t)), Options{})
	require.NoError(t, err)
	require.Equal(t, want[2:3], s.Lost)
	require.Equal(t, 4, s.Manifest.Evidence)
}
