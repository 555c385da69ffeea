package api

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/bundle"
	"github.com/milepost-ledger/milepost/domain"
)

func TestBundles(t *testing.T) {
	// given an agreement that both of its parties countersigned, and what came after
	r := start(t)
	r.scheduled()
	for _, p := range []string{"wuxi", "cethik"} {
		r.cosigns(r.witnessed(p), "/v1/agreements/wuxi-2017/checkpoint").is(http.StatusOK)
	}
	hash := r.attach("report")
	receipt := r.done("record-prior-cooperation", `{"agreement":"wuxi-2017","title":"Before","date":"199X","evidence":["`+hash+`"]}`)
	var keys Keys
	r.get("/v1/keys").is(http.StatusOK).into(&keys)
	o := bundle.Options{LedgerKey: domain.VerifierKey(keys.Keys[0])}

	t.Run("of the agreement", func(t *testing.T) {
		answer := r.on(t).get("/v1/agreements/wuxi-2017/bundle").is(http.StatusOK)
		report, err := bundle.Verify(t.Context(), bytes.NewReader(answer.body), o)
		require.NoError(t, err)
		require.True(t, report.OK, "%+v", report.Checks)
		require.Equal(t, receipt.Seq, report.Seq)
		require.Equal(t, report.Events-1, report.Settlements[0].Settled)
		require.Contains(t, report.Evidence.Missing, domain.Hash(hash))
		require.Equal(t, mediaTar, answer.header.Get("Content-Type"))
		require.Equal(t, strconv.FormatUint(receipt.Seq, 10), answer.header.Get(headerSeq))
		require.NotEmpty(t, answer.header.Get(headerAt))
		require.Contains(t, answer.header.Get("Content-Disposition"), `filename="test-wuxi-2017-`)
	})
	t.Run("of the whole ledger, with evidence", func(t *testing.T) {
		answer := r.on(t).get("/v1/bundle?evidence=true").is(http.StatusOK)
		report, err := bundle.Verify(t.Context(), bytes.NewReader(answer.body), o)
		require.NoError(t, err)
		require.True(t, report.OK, "%+v", report.Checks)
		require.Equal(t, receipt.Seq, report.Events)
		require.Equal(t, 1, report.Evidence.There)
		require.NotContains(t, report.Evidence.Missing, domain.Hash(hash))
		require.Empty(t, r.on(t).send(http.MethodHead, "/v1/bundle", "").is(http.StatusOK).body)
	})
	t.Run("one that breaks off is no answer", func(t *testing.T) {
		r.damage("Report")
		resp, err := http.DefaultClient.Do(r.request(t.Context(), http.MethodGet, "/v1/bundle?evidence=true", nil))
		require.NoError(t, err)
		defer func() { _ = resp.Body.Close() }()
		_, err = io.ReadAll(resp.Body)
		require.True(t, errors.Is(err, io.ErrUnexpectedEOF), "%v", err)
	})
	t.Run("what is refused", func(t *testing.T) {
		r := r.on(t)
		r.get("/v1/agreements/nothing/bundle").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get("/v1/agreements/"+strings.Repeat("x", 65)+"/bundle").problem(http.StatusNotFound, domain.CodeNotFound)
		r.get("/v1/bundle?evidence=perhaps").problem(http.StatusBadRequest, CodeInvalidParameter)
		r.get("/v1/bundle?as_of=2019-01-01").problem(http.StatusBadRequest, CodeUnknownParameter)
	})
}
