package web

import (
	"strings"

	"github.com/milepost-ledger/milepost/domain"
)

// why is the reason of an event: a code in words, and what somebody wrote.
type why struct{ Reason, Note string }

// Why says why something was done. A reason that has the form of a key is a code, and
// any other one a sentence.
func (v *visit) Why(reason, note string) why {
	if domain.Key(reason).Valid() {
		return why{v.Label(reason), note}
	}
	return why{"", strings.TrimSpace(reason + " " + note)}
}
