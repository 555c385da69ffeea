package signing_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/keyring"
	"github.com/milepost-ledger/milepost/eventstore"
)

// rig is a ledger with a key.
type rig struct {
	t     *testing.T
	dir   string
	key   signing.Key
	store *eventstore.Store
}

func start(t *testing.T) *rig {
	r := &rig{t: t, dir: t.TempDir()}
	key, made, err := signing.Prepare(signing.KeyFile(r.dir), "test")
	require.NoError(t, err)
	require.True(t, made)
	r.key = key
	r.open(key.Public)
	t.Cleanup(func() { assert.NoError(t, r.store.Close()) })
	return r
}

func (r *rig) open(public string) {
	r.t.Helper()
	var err error
	r.store, err = eventstore.Open(r.t.Context(), eventstore.Config{Dir: r.dir, Ledger: "test", Key: public})
	require.NoError(r.t, err)
}

func (r *rig) ledger() *ledger.Ledger {
	return ledger.New(r.store, ledger.Options{Name: "test", SigningKey: domain.VerifierKey(r.store.Key())})
}

// match is what a start finds.
func (r *rig) match() (signing.Key, []string, error) {
	r.t.Helper()
	key, made, err := signing.Prepare(signing.KeyFile(r.dir), "test")
	require.NoError(r.t, err)
	return signing.Match(r.t.Context(), r.store, key, made)
}

func TestPrepare(t *testing.T) {
	r := start(t)
	info, err := os.Stat(r.key.File)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), "the key is the owner's alone")
	again, made, err := signing.Prepare(r.key.File, "test")
	require.NoError(t, err)
	require.False(t, made)
	require.Equal(t, r.key, again)

	t.Run("others may not read it", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(file, []byte(r.key.Secret), 0o644))
		require.NoError(t, os.Chmod(file, 0o644))
		_, err := signing.ReadKey(file)
		require.ErrorAs(t, err, new(*signing.OpenKeyError))
		require.ErrorContains(t, err, "chmod 600")
	})
	t.Run("a file with something else", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "key")
		require.NoError(t, os.WriteFile(file, []byte("PRIVATE+KEY+broken"), 0o600))
		_, err := signing.ReadKey(file)
		require.ErrorContains(t, err, file)
		require.NotContains(t, err.Error(), "broken")
	})
	t.Run("a key is never written over", func(t *testing.T) {
		_, err := signing.NewKey(r.key.File, "test")
		require.ErrorContains(t, err, "never written over")
		still, err := signing.ReadKey(r.key.File)
		require.NoError(t, err)
		require.Equal(t, r.key, still)
	})
	t.Run("the secret is in nothing that is printed", func(t *testing.T) {
		secret := strings.SplitN(r.key.Secret, "+", 5)[4] // base64, which may have a + itself
		require.NotEmpty(t, secret)
		for _, form := range []string{"%v", "%+v", "%#v", "%s"} {
			require.NotContains(t, fmt.Sprintf(form, r.key), secret, form)
			require.NotContains(t, fmt.Sprintf(form, []signing.Key{r.key}), secret, form)
		}
	})
}

func TestMatch(t *testing.T) {
	t.Run("the key that the log was made with", func(t *testing.T) {
		r := start(t)
		key, former, err := r.match()
		require.NoError(t, err)
		require.Equal(t, r.key, key)
		require.Empty(t, former)
	})
	t.Run("another key", func(t *testing.T) {
		r := start(t)
		require.NoError(t, os.Remove(r.key.File))
		_, err := signing.NewKey(r.key.File, "milepost/test")
		require.NoError(t, err)
		_, _, err = r.match()
		wrong := new(signing.WrongKeyError)
		require.ErrorAs(t, err, &wrong)
		require.Equal(t, r.key.Public, wrong.Want)
	})
	t.Run("no key, and none is made for a ledger that has one", func(t *testing.T) {
		r := start(t)
		require.NoError(t, os.Remove(r.key.File))
		_, _, err := r.match()
		require.ErrorAs(t, err, new(*signing.MissingKeyError))
		require.NoFileExists(t, r.key.File)
	})
}

func TestRotate(t *testing.T) {
	meta := domain.Meta{Actor: "wang.fang", Note: "yearly"}
	t.Run("twice", func(t *testing.T) {
		r := start(t)
		keys := []string{r.key.Public}
		for range 2 {
			key, _, err := r.match()
			require.NoError(t, err)
			next, receipt, err := signing.Rotate(t.Context(), r.ledger(), key, meta)
			require.NoError(t, err)
			require.NotZero(t, receipt.Seq)
			require.Equal(t, key.File, next.File)
			// then the next start signs with the new key, and knows those before
			present, former, err := r.match()
			require.NoError(t, err)
			require.Equal(t, next, present)
			require.Equal(t, keys, former)
			keys = append(keys, next.Public)
		}
		// and whoever trusts the first key comes to the last
		chain, rotations, err := signing.Chain(t.Context(), r.store)
		require.NoError(t, err)
		require.Equal(t, keys, chain)
		followed, err := signing.Follow(keys[0], rotations)
		require.NoError(t, err)
		require.Equal(t, keys, followed)
		// but not from another one
		_, err = signing.Follow(keys[1], rotations)
		require.ErrorAs(t, err, new(*signing.ChainError))
	})
	t.Run("interrupted when the event is in the log", func(t *testing.T) {
		r := start(t)
		old, err := os.ReadFile(r.key.File)
		require.NoError(t, err)
		next, _, err := signing.Rotate(t.Context(), r.ledger(), r.key, meta)
		require.NoError(t, err)
		require.NoError(t, os.Rename(next.File, next.File+".next"))
		require.NoError(t, os.WriteFile(r.key.File, old, 0o600))
		present, former, err := r.match()
		require.NoError(t, err)
		require.Equal(t, next, present)
		require.Equal(t, []string{r.key.Public}, former)
		read, err := signing.ReadKey(r.key.File)
		require.NoError(t, err)
		require.Equal(t, next, read)
		require.NoFileExists(t, r.key.File+".next")
	})
	t.Run("interrupted before it is", func(t *testing.T) {
		r := start(t)
		unused, err := signing.NewKey(r.key.File+".next", "milepost/test")
		require.NoError(t, err)
		present, former, err := r.match()
		require.NoError(t, err)
		require.Equal(t, r.key, present)
		require.Empty(t, former)
		require.NoFileExists(t, r.key.File+".next")
		// but it is not lost: its event may come yet, of an append that nobody heard of
		aside, err := signing.ReadKey(r.key.File + ".unused-" + domain.VerifierKey(unused.Public).ID())
		require.NoError(t, err)
		require.Equal(t, unused.Secret, aside.Secret)
	})
	t.Run("interrupted while the new key is written", func(t *testing.T) {
		for _, half := range []string{"", "PRIVATE+KEY+mile"} {
			r := start(t)
			require.NoError(t, os.WriteFile(r.key.File+".next", []byte(half), 0o600))
			present, _, err := r.match()
			require.NoError(t, err)
			require.Equal(t, r.key, present)
			_, _, err = signing.Rotate(t.Context(), r.ledger(), present, meta)
			require.NoError(t, err)
		}
	})
	t.Run("only by the key that the log was made with", func(t *testing.T) {
		r := start(t)
		stranger, err := signing.NewKey(filepath.Join(t.TempDir(), "key"), "milepost/test")
		require.NoError(t, err)
		_, _, err = signing.Rotate(t.Context(), r.ledger(), stranger, meta)
		rejected := new(domain.Rejected)
		require.ErrorAs(t, err, &rejected)
		require.Equal(t, keyring.CodeStaleKey, rejected.Code)
	})
}

// A rotation that somebody put into the log shows, whatever it is.
func TestChain_forged(t *testing.T) {
	for name, forge := range map[string]func(r *rig) keyring.KeyRotated{
		"of another key": func(r *rig) keyring.KeyRotated {
			return r.rotation(r.newKey(), r.newKey())
		},
		"not signed by the key that it replaces": func(r *rig) keyring.KeyRotated {
			e := r.rotation(r.newKey(), r.newKey())
			e.Old = domain.VerifierKey(r.key.Public)
			return e
		},
		"to another key than was signed": func(r *rig) keyring.KeyRotated {
			e := r.rotation(r.key, r.newKey())
			e.Key = domain.VerifierKey(r.newKey().Public)
			return e
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			event := forge(r)
			env := domain.Envelope{
				ID: "01900000-0000-7000-8000-000000000001", Source: "/ledgers/test", Ref: keyring.Ref(), Type: event.Type(), Version: 1,
				Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Data: domain.EncodeEvent(event),
			}
			_, err := r.store.Append(t.Context(), []eventstore.Message{{Subject: "milepost.test.-.keyring.ledger", Data: env.Append(nil)}})
			require.NoError(t, err)
			_, _, err = r.match()
			chain := new(signing.ChainError)
			require.ErrorAs(t, err, &chain)
			require.Equal(t, uint64(1), chain.Seq)
		})
	}
}

func (r *rig) newKey() signing.Key {
	k, err := signing.NewKey(filepath.Join(r.t.TempDir(), "key"), "milepost/test")
	require.NoError(r.t, err)
	return k
}

func (r *rig) rotation(old, key signing.Key) keyring.KeyRotated {
	statement, err := signing.Statement(old, domain.VerifierKey(key.Public))
	require.NoError(r.t, err)
	return keyring.KeyRotated{Old: domain.VerifierKey(old.Public), Key: domain.VerifierKey(key.Public), Statement: statement}
}
