package api

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore/proof"
	"github.com/milepost-ledger/milepost/projections"
)

// party is one that has registered a key.
type party struct {
	cosigner *proof.Cosigner
	vkey     string
	secret   string
}

// witnessed gives a party a key.
func (r *rig) witnessed(key string) party {
	r.t.Helper()
	secret, public, err := proof.NewKey(rand.Reader, key+".example")
	require.NoError(r.t, err)
	cosigner, err := proof.NewCosigner(secret, time.Now)
	require.NoError(r.t, err)
	r.done("register-witness", fmt.Sprintf(`{"party":%q,"key":%q}`, key, public))
	return party{cosigner, public, secret}
}

// verifiers are the ledger's.
func (r *rig) verifiers() []note.Verifier {
	r.t.Helper()
	var keys Keys
	r.get("/v1/keys").is(http.StatusOK).into(&keys)
	list, err := proof.Verifiers(keys.Keys...)
	require.NoError(r.t, err)
	return list
}

// signedAt opens the checkpoint that an address answers with.
func (r *rig) signedAt(path string) proof.Signed {
	r.t.Helper()
	answer := r.get(path).is(http.StatusOK)
	signed, err := proof.Open(answer.body, r.verifiers())
	require.NoError(r.t, err)
	require.Equal(r.t, signed.Origin, answer.header.Get(headerOrigin))
	return signed
}

// cosigns has a party countersign what an address answers with.
func (r *rig) cosigns(p party, path string) reply {
	r.t.Helper()
	msg, err := p.cosigner.Cosign(r.signedAt(path))
	require.NoError(r.t, err)
	return r.handIn(string(msg))
}

func (r *rig) handIn(note string) reply {
	r.t.Helper()
	return r.send(http.MethodPost, "/v1/checkpoint/cosignatures", note, "Content-Type: text/plain")
}

func TestCheckpoints(t *testing.T) {
	r := start(t)
	empty := r.signedAt("/v1/checkpoint")
	require.Equal(t, proof.Checkpoint{Origin: "milepost/test", Root: proof.EmptyRoot}, empty.Checkpoint)
	r.scheduled()

	t.Run("of the ledger, and of an agreement", func(t *testing.T) {
		r := r.on(t)
		ledger, agreement := &proof.Frontier{}, &proof.Frontier{}
		for rec, err := range r.store.Read(t.Context(), 1, 0, "") {
			require.NoError(t, err)
			ledger.Append(tlog.RecordHash(rec.Data))
			if strings.Contains(rec.Subject, ".wuxi-2017.") {
				agreement.Append(tlog.RecordHash(rec.Data))
			}
		}
		require.Equal(t, proof.Checkpoint{Origin: "milepost/test", Size: r.last(), Root: ledger.Root()}, r.signedAt("/v1/checkpoint").Checkpoint)
		require.Equal(t, proof.Checkpoint{Origin: "milepost/test/wuxi-2017", Size: agreement.Size(), Root: agreement.Root()}, r.signedAt("/v1/agreements/wuxi-2017/checkpoint").Checkpoint)
		r.get("/v1/agreements/wuxi-2018/checkpoint").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get("/v1/agreements/Wuxi/checkpoint").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get("/v1/checkpoint?as_of=seq:1").problem(http.StatusBadRequest, CodeUnknownParameter)
	})

	t.Run("consistency", func(t *testing.T) {
		r := r.on(t)
		for _, path := range []string{"/v1/checkpoint", "/v1/agreements/wuxi-2017/checkpoint"} {
			older := r.signedAt(path)
			r.done("reforecast-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","forecast":"`+fmt.Sprintf("2019-07-%02d", older.Size)+`","reason":"supplier-delay"}`)
			var c Consistency
			r.get(fmt.Sprintf("%s/consistency?from=%d", path, older.Size)).is(http.StatusOK).into(&c)
			newer, err := proof.Open([]byte(c.Checkpoint), r.verifiers())
			require.NoError(t, err)
			require.Greater(t, newer.Size, older.Size)
			require.NoError(t, proof.CheckConsistency(older.Checkpoint, newer.Checkpoint, c.Hashes))
			require.Equal(t, [2]uint64{older.Size, newer.Size}, [2]uint64{c.From, c.To})

			r.get(fmt.Sprintf("%s/consistency?from=%d&to=%d", path, newer.Size, newer.Size)).is(http.StatusOK).into(&c)
			require.Empty(t, c.Hashes)
			require.Equal(t, "from", r.get(path+"/consistency").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
			require.Equal(t, "from", r.get(path+"/consistency?from=-1").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
			require.Equal(t, "from", r.get(path+"/consistency?from=9999").problem(http.StatusBadRequest, projections.CodeInvalidRange).Field)
			require.Equal(t, "to", r.get(path+"/consistency?from=1&to=2").problem(http.StatusNotFound, domain.CodeNotFound).Field)
			require.Equal(t, "to", r.get(path+"/consistency?from=1&to=x").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
		}
	})
}

func TestCosignatures(t *testing.T) {
	r := start(t)
	r.scheduled()
	wuxi := r.witnessed("wuxi")

	t.Run("taken, kept, and shown with the checkpoint", func(t *testing.T) {
		r := r.on(t)
		answer := r.cosigns(wuxi, "/v1/checkpoint").is(http.StatusOK)
		key, err := proof.NewWitness(wuxi.vkey)
		require.NoError(t, err)
		signed, err := proof.Open(answer.body, r.verifiers(), key)
		require.NoError(t, err)
		require.Len(t, signed.Cosignatures, 1)
		require.Equal(t, string(answer.body), string(r.get("/v1/checkpoint").body))
		r.cosigns(wuxi, "/v1/agreements/wuxi-2017/checkpoint").is(http.StatusOK)
	})
	t.Run("of an older checkpoint, that is not kept any more", func(t *testing.T) {
		r := r.on(t)
		older := r.signedAt("/v1/agreements/wuxi-2017/checkpoint")
		msg, err := wuxi.cosigner.Cosign(proof.Signed{Checkpoint: older.Checkpoint, Note: older.Bare()})
		require.NoError(t, err)
		for _, day := range []string{"2019-08-01", "2019-08-02"} {
			r.done("reforecast-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","forecast":"`+day+`","reason":"supplier-delay"}`)
			r.signedAt("/v1/agreements/wuxi-2017/checkpoint")
		}
		r.handIn(string(msg)).is(http.StatusOK)
	})
	t.Run("refused", func(t *testing.T) {
		r := r.on(t)
		signed := r.signedAt("/v1/checkpoint")
		secret, _, err := proof.NewKey(rand.Reader, "stranger.example")
		require.NoError(t, err)
		stranger, err := proof.NewCosigner(secret, time.Now)
		require.NoError(t, err)
		msg, err := stranger.Cosign(proof.Signed{Checkpoint: signed.Checkpoint, Note: signed.Bare()})
		require.NoError(t, err)
		r.handIn(string(msg)).problem(http.StatusUnprocessableEntity, CodeNoCosignature)
		r.handIn(string(signed.Bare())).problem(http.StatusUnprocessableEntity, CodeNoCosignature)
		r.handIn("nothing").problem(http.StatusUnprocessableEntity, CodeUnsigned)
		early, err := proof.NewCosigner(wuxi.secret, func() time.Time { return time.Now().Add(time.Hour) })
		require.NoError(t, err)
		msg, err = early.Cosign(proof.Signed{Checkpoint: signed.Checkpoint, Note: signed.Bare()})
		require.NoError(t, err)
		r.handIn(string(msg)).problem(http.StatusUnprocessableEntity, CodeFuture)
		forged := signed.Checkpoint
		forged.Size++
		only, err := forged.Sign(wuxi.cosigner)
		require.NoError(t, err)
		r.handIn(string(only)).problem(http.StatusUnprocessableEntity, CodeUnsigned)
		r.handIn(strings.Repeat("x", maxNote+1)).problem(http.StatusRequestEntityTooLarge, CodeTooLarge)
		r.send(http.MethodPost, "/v1/checkpoint/cosignatures", string(msg)).problem(http.StatusUnsupportedMediaType, CodeMediaType)
	})
}

// An event is settled when every party of its agreement has countersigned it, in
// the ledger's tree or in the agreement's.
func TestSettlement(t *testing.T) {
	r := start(t)
	r.scheduled()
	seq := r.last()
	status := func(seq uint64) Settlement {
		t.Helper()
		var page struct{ Items []event }
		r.get(fmt.Sprintf("/v1/events?after=%d&limit=1&min_seq=%d", seq-1, r.last())).is(http.StatusOK).into(&page)
		require.Len(t, page.Items, 1)
		require.Equal(t, seq, page.Items[0].Seq)
		answer := page.Items[0].Settlement
		require.Equal(t, answer.header(), r.get(fmt.Sprintf("/v1/events/%d", seq)).is(http.StatusOK).header.Get(headerSettlement))
		return answer
	}
	both := []domain.Key{"wuxi", "cethik"}
	require.Equal(t, Settlement{pending, both}, status(seq), "nobody has a key")
	require.Equal(t, Settlement{pending, []domain.Key{}}, status(1), "the registration of a party, and nobody can countersign")

	wuxi, cethik := r.witnessed("wuxi"), r.witnessed("cethik")
	r.cosigns(wuxi, "/v1/agreements/wuxi-2017/checkpoint").is(http.StatusOK)
	require.Equal(t, Settlement{pending, []domain.Key{"cethik"}}, status(seq))
	require.Equal(t, Settlement{pending, []domain.Key{"cethik", "wuxi"}}, sortedAwaits(status(1)))
	r.cosigns(cethik, "/v1/checkpoint").is(http.StatusOK)
	require.Equal(t, Settlement{settled, []domain.Key{}}, status(seq))
	require.Equal(t, Settlement{pending, []domain.Key{"wuxi"}}, status(1))
	r.cosigns(wuxi, "/v1/checkpoint").is(http.StatusOK)
	require.Equal(t, Settlement{settled, []domain.Key{}}, status(1))

	later := r.done("reforecast-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","forecast":"2019-09-01","reason":"supplier-delay"}`)
	require.Equal(t, Settlement{pending, both}, status(later.Seq))

	var s Status
	r.get("/v1/status").is(http.StatusOK).into(&s)
	require.Equal(t, later.Seq-1, s.Integrity.Settled)
	require.GreaterOrEqual(t, s.Integrity.Checkpoint, later.Seq-1)
	require.Empty(t, s.Integrity.Finding)

	// a key that was given up counts for nothing any more
	r.done("retire-witness", `{"party":"cethik","note":"lost"}`)
	require.Equal(t, Settlement{pending, []domain.Key{"cethik"}}, status(seq))

	// and one that two parties register speaks for both: neither can shut the other out
	r.done("register-witness", fmt.Sprintf(`{"party":"cethik","key":%q}`, wuxi.vkey))
	require.Equal(t, Settlement{settled, []domain.Key{}}, status(seq))
	r.cosigns(wuxi, "/v1/checkpoint").is(http.StatusOK)
	r.get("/v1/status").is(http.StatusOK)
	r.get("/readyz").is(http.StatusOK)
}

func sortedAwaits(s Settlement) Settlement {
	if len(s.Awaits) == 2 && s.Awaits[0] > s.Awaits[1] {
		s.Awaits[0], s.Awaits[1] = s.Awaits[1], s.Awaits[0]
	}
	return s
}

func TestProof(t *testing.T) {
	r := start(t)
	r.scheduled()
	wuxi := r.witnessed("wuxi")
	r.cosigns(wuxi, "/v1/checkpoint").is(http.StatusOK)
	cosigned := r.last()
	r.done("reforecast-milestone", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","forecast":"2019-09-01","reason":"supplier-delay"}`)
	key, err := proof.NewWitness(wuxi.vkey)
	require.NoError(t, err)

	for seq := uint64(1); seq <= r.last(); seq++ {
		answer := r.get(fmt.Sprintf("/v1/events/%d/proof", seq)).is(http.StatusOK)
		file, err := proof.Parse(answer.body)
		require.NoError(t, err)
		signed, err := file.Verify(r.verifiers(), key)
		require.NoError(t, err)
		require.Equal(t, seq-1, file.Index)
		require.Equal(t, string(r.get(fmt.Sprintf("/v1/events/%d", seq)).body), string(file.Event))
		if seq <= cosigned {
			require.Equal(t, cosigned, signed.Size, "the countersigned one is worth more")
			require.Len(t, signed.Cosignatures, 1)
		} else {
			require.Equal(t, r.last(), signed.Size)
		}
		require.NotEmpty(t, answer.header.Get(headerSettlement))
	}

	t.Run("in the tree of the agreement", func(t *testing.T) {
		r := r.on(t)
		file, err := proof.Parse(r.get("/v1/events/3/proof?tree=agreement").is(http.StatusOK).body)
		require.NoError(t, err)
		signed, err := file.Verify(r.verifiers())
		require.NoError(t, err)
		require.Equal(t, "milepost/test/wuxi-2017", signed.Origin)
		require.Zero(t, file.Index)
	})
	t.Run("against a checkpoint of one's choice", func(t *testing.T) {
		r := r.on(t)
		r.signedAt("/v1/checkpoint")
		file, err := proof.Parse(r.get(fmt.Sprintf("/v1/events/1/proof?checkpoint=%d", r.last())).is(http.StatusOK).body)
		require.NoError(t, err)
		signed, err := file.Verify(r.verifiers())
		require.NoError(t, err)
		require.Equal(t, r.last(), signed.Size)
	})
	t.Run("bad questions", func(t *testing.T) {
		r := r.on(t)
		require.Equal(t, "seq", r.get("/v1/events/x/proof").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
		r.get("/v1/events/0/proof").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get("/v1/events/9999/proof").problem(http.StatusNotFound, domain.CodeNotFound)
		require.Equal(t, "tree", r.get("/v1/events/1/proof?tree=agreement").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
		require.Equal(t, "tree", r.get("/v1/events/1/proof?tree=oak").problem(http.StatusBadRequest, CodeInvalidParameter).Field)
		require.Equal(t, "checkpoint", r.get("/v1/events/1/proof?checkpoint=2").problem(http.StatusNotFound, domain.CodeNotFound).Field)
		require.Equal(t, "checkpoint", r.get(fmt.Sprintf("/v1/events/%d/proof?checkpoint=%d", r.last(), cosigned)).problem(http.StatusBadRequest, CodeInvalidParameter).Field)
	})
}

// A representative hands in what its own party countersigned, of trees that it
// sees, and what others handed in before stays.
func TestRepresentativesCountersignForTheirParty(t *testing.T) {
	r := start(t)
	r.scheduled()
	wuxi, cethik := r.witnessed("wuxi"), r.witnessed("cethik")
	envoy := r.as(r.principal("envoy", `"role":"representative","agreement":"wuxi-2017","party":"wuxi"`))
	other := r.as(r.principal("other", `"role":"representative","agreement":"elsewhere","party":"wuxi"`))
	r.cosigns(cethik, "/v1/agreements/wuxi-2017/checkpoint").is(http.StatusOK)
	note, err := wuxi.cosigner.Cosign(r.signedAt("/v1/agreements/wuxi-2017/checkpoint"))
	require.NoError(t, err)
	foreign, err := cethik.cosigner.Cosign(r.signedAt("/v1/checkpoint"))
	require.NoError(t, err)

	other.handIn(string(note)).problem(http.StatusNotFound, domain.CodeNotFound)
	envoy.handIn(string(foreign)).problem(http.StatusUnprocessableEntity, CodeNoCosignature)
	answer := envoy.handIn(string(note)).is(http.StatusOK)
	for _, p := range []party{wuxi, cethik} {
		key, err := proof.NewWitness(string(p.vkey))
		require.NoError(t, err)
		signed, err := proof.Open(answer.body, r.verifiers(), key)
		require.NoError(t, err)
		assert.Len(t, signed.Cosignatures, 1)
	}
	other.cosigns(wuxi, "/v1/checkpoint").is(http.StatusOK)
}
