package api

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
)

// fundVersion is the version of the fund of cooperated as the asker is shown it.
func (r *rig) fundVersion(minSeq uint64) uint64 {
	r.t.Helper()
	answer := r.get(fmt.Sprintf("/v1/agreements/wuxi-2017/funds/iot-fund?min_seq=%d", minSeq)).is(http.StatusOK)
	v, err := strconv.ParseUint(strings.Trim(answer.header.Get("ETag"), `"`), 10, 64)
	require.NoError(r.t, err)
	return v
}

// disbursement is the data of one from the fund of cooperated, and more.
func disbursement(project, key, more string) string {
	return fmt.Sprintf(`{"agreement":"wuxi-2017","fund":"iot-fund","commitment":"c-1","disbursement":%q,"project":%q,"value":{"amount":"0.01","currency":"CNY"}%s}`, key, project, more)
}

// Whom something is withheld from gives conditional commands by the versions that
// it is shown, and is told no other.
func TestAVersionThatIsExpectedIsOneThatIsShown(t *testing.T) {
	// given a fund with events of a restricted project after the last one that a
	// clerk sees
	r := start(t)
	r.cooperated()
	_, _ = r.withSecret()
	clerk := r.as(r.principal("clerk", `"role":"coordinator","agreement":"wuxi-2017"`))
	seq := r.done("restrict-access", `{"agreement":"wuxi-2017","project":"xq-hush"}`).Seq
	shown, all := clerk.fundVersion(seq), r.fundVersion(seq)
	require.Less(t, shown, all)
	expecting := func(version uint64) string { return `,"expected_version":` + strconv.FormatUint(version, 10) }
	before := r.last()
	stale := func(version, at uint64) {
		t.Helper()
		for _, answer := range []reply{
			clerk.do("disburse-funds", disbursement("iot-base", "n", ""), "If-Match: "+etag(version)),
			clerk.do("disburse-funds", disbursement("iot-base", "n", expecting(version))),
		} {
			p := answer.problem(http.StatusPreconditionFailed, domain.CodeStaleVersion)
			assert.Equal(t, fmt.Sprintf("wuxi-2017/fund/iot-fund is at version %d, not %d: read it again", at, version), p.Detail)
		}
		assert.Equal(t, before, r.last())
	}

	// when it expects another than it is shown, the true one among them, then it is
	// refused with the one that it is shown
	for v := range all + 2 {
		if v != shown {
			stale(v, shown)
		}
	}
	// when it expects the one that it is shown, then the command is done, and again
	// under its key gives the first receipt, of which the version is the next one
	receipt := clerk.done("disburse-funds", disbursement("iot-base", "one", ""), "If-Match: "+etag(shown), "Idempotency-Key: one")
	require.Equal(t, all+1, receipt.Version)
	var again ledger.Receipt
	clerk.do("disburse-funds", disbursement("iot-base", "one", ""), "If-Match: "+etag(shown), "Idempotency-Key: one").is(http.StatusOK).into(&again)
	require.True(t, again.Replayed)
	again.Replayed = false
	require.Equal(t, receipt, again)
	require.Equal(t, receipt.Version, clerk.fundVersion(receipt.Seq))
	receipt = clerk.done("disburse-funds", disbursement("iot-base", "two", expecting(receipt.Version)))

	// when somebody else does what it sees, then its version is old
	r.done("disburse-funds", disbursement("iot-base", "three", ""), "If-Match: "+etag(receipt.Version))
	before = r.last()
	stale(receipt.Version, receipt.Version+1)
}

// However fast others do what the asker does not see, no conditional command is
// refused for it, and none goes past what it would see.
func TestConditionalCommandsAmongWithheldOnes(t *testing.T) {
	r := start(t)
	r.cooperated()
	_, _ = r.withSecret()
	clerk := r.as(r.principal("clerk", `"role":"coordinator","agreement":"wuxi-2017"`))
	seq := r.done("restrict-access", `{"agreement":"wuxi-2017","project":"xq-hush"}`).Seq

	stop, stopped := make(chan struct{}), make(chan int)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				stopped <- n
				return
			default:
			}
			answer := r.do("disburse-funds", disbursement("xq-hush", fmt.Sprint("h-", n), ""))
			assert.Equal(t, http.StatusCreated, answer.status, "%s", answer.body)
		}
	}()
	for n := range 15 {
		version := clerk.fundVersion(seq)
		receipt := clerk.done("disburse-funds", disbursement("iot-base", fmt.Sprint("c-", n), ""), "If-Match: "+etag(version))
		clerk.do("disburse-funds", disbursement("iot-base", "late", ""), "If-Match: "+etag(version)).
			problem(http.StatusPreconditionFailed, domain.CodeStaleVersion)
		seq = receipt.Seq
	}
	close(stop)
	assert.Greater(t, <-stopped, 5)
}
