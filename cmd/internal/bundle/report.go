package bundle

import (
	"fmt"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// Codes of what can be wrong. They never change their meaning.
const (
	CodeNotABundle       = "not-a-bundle"          // something else, or of a later version
	CodeCutShort         = "bundle-cut-short"      // its end is missing
	CodeMalformed        = "bundle-malformed"      // not in the form that the package describes
	CodeDamaged          = "bundle-damaged"        // changed on its way: end.json has another hash
	CodeEventChanged     = "event-changed"         // the events are not those that a checkpoint is of
	CodeEventMissing     = "event-missing"         // fewer events than a checkpoint, or the manifest, says
	CodeEventInvalid     = "event-invalid"         // an event does not read, or lacks what each must have
	CodeVersionGap       = "version-gap"           // the versions of an aggregate do not go up by one
	CodeForeignEvent     = "foreign-event"         // of another ledger or agreement
	CodeNotSigned        = "not-signed"            // no signature of the ledger, or a false one
	CodeWrongKey         = "wrong-key"             // signed, but not by the ledger's key
	CodeRotationBroken   = "rotation-broken"       // one key does not lead to the next
	CodeKeysDiffer       = "keys-differ"           // keys.json is not what the events say
	CodeCosignatureWrong = "cosignature-wrong"     // false, or by another key than the party's
	CodeStateDiffers     = "state-differs"         // the events do not come to the state of the manifest
	CodeEvidenceChanged  = "evidence-changed"      // a file has not the hash that names it
	CodeEvidenceForeign  = "evidence-foreign"      // a file that no event names
	CodeRollback         = "rollback"              // fewer events than were seen before
	CodeFork             = "fork"                  // other events than were seen before
	CodeProofOfOtherTree = "proof-of-another-tree" // of another ledger or agreement
	CodeProofWrong       = "proof-wrong"           // the event is not where the proof says
	CodeUnknownEvent     = "unknown-event"         // of a type that only a later version knows
)

// Failure says what is wrong: Code is for programs, the rest for people.
type Failure struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Seq    uint64 `json:"seq,omitzero"`    // the first sequence that it is about
	Entity string `json:"entity,omitzero"` // the aggregate that it is about
}

func (f *Failure) Error() string { return f.Detail + " (code " + f.Code + ")" }

func failure(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// IDs of the checks.
const (
	CheckFile        = "file"              // whole, undamaged, and in the form
	CheckKeys        = "keys"              // of the ledger
	CheckSignatures  = "signatures"        // of the ledger, on every checkpoint
	CheckEvents      = "events"            // read, belong here, leave no gap
	CheckHistory     = "history"           // the trees have the signed roots
	CheckState       = "state"             // what the events come to
	CheckProofs      = "proofs"            // of events one by one
	CheckWitnesses   = "countersignatures" // of the parties
	CheckEvidence    = "evidence"          // files
	CheckConsistency = "consistency"       // with a checkpoint seen before
)

// Check is one thing that was checked, and how it came out. Detail says what was
// proved, and of whom it had to be believed; or what is wrong.
type Check struct {
	ID     string `json:"id"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Code   string `json:"code,omitzero"`
	Seq    uint64 `json:"seq,omitzero"`
	Entity string `json:"entity,omitzero"`
}

// Report is what came of a verification.
type Report struct {
	Kind      string     `json:"kind"` // bundle, proof or checkpoint
	OK        bool       `json:"ok"`   // every check is
	Ledger    string     `json:"ledger"`
	Agreement domain.Key `json:"agreement,omitzero"`
	Seq       uint64     `json:"seq,omitzero"`
	Events    uint64     `json:"events,omitzero"`
	Checks    []Check    `json:"checks"`

	Settlements []Settlement `json:"settlements"` // of each agreement
	Evidence    *Evidence    `json:"evidence,omitempty"`
	Event       *Event       `json:"event,omitempty"` // that a proof is of
}

// Evidence says which files are named by events, and which of them are there.
type Evidence struct {
	Named   int           `json:"named"`
	There   int           `json:"there"`
	Missing []domain.Hash `json:"missing"`
}

// Settlement says for whom the events of an agreement are settled: a party whose
// countersignature covers an event cannot be told another story about it.
type Settlement struct {
	Agreement domain.Key  `json:"agreement,omitzero"` // "" for a tree alone
	Events    uint64      `json:"events"`
	Settled   uint64      `json:"settled"`     // the first so many are, for all parties
	Seq       uint64      `json:"settled_seq"` // sequence of the last of them; 0 where none is
	Parties   []Witnessed `json:"parties"`
}

// Witnessed is how far a party has countersigned.
type Witnessed struct {
	Party   domain.Key `json:"party"`
	Key     string     `json:"key,omitzero"`    // name and hash of the key; "" where none is known
	Given   bool       `json:"given"`           // the verifier gave the key; else it is as the log has it
	Events  uint64     `json:"events"`          // the first so many of the agreement's are covered
	Seq     uint64     `json:"seq"`             // of the last of them
	Origin  string     `json:"origin,omitzero"` // of the tree that was countersigned
	Size    uint64     `json:"size,omitzero"`
	At      time.Time  `json:"at,omitzero"` // when, as the countersignature says
	Pending uint64     `json:"pending"`     // events beyond it
}

// Failure is the first thing that is wrong, nil where nothing is.
func (r *Report) Failure() *Failure {
	for _, c := range r.Checks {
		if !c.OK {
			return &Failure{Code: c.Code, Detail: c.Detail, Seq: c.Seq, Entity: c.Entity}
		}
	}
	return nil
}

// checks collects how checks come out. A check that failed stays failed, by the
// first thing that was wrong.
type checks struct {
	order []string
	by    map[string]*Check
	more  map[string]int // what else was wrong
}

func newChecks() *checks { return &checks{by: map[string]*Check{}, more: map[string]int{}} }

func (c *checks) check(id string) *Check {
	if c.by[id] == nil {
		c.by[id] = &Check{ID: id, OK: true}
		c.order = append(c.order, id)
	}
	return c.by[id]
}

func (c *checks) fail(id string, f *Failure) {
	k := c.check(id)
	if !k.OK {
		c.more[id]++
		return
	}
	*k = Check{ID: id, Code: f.Code, Detail: f.Detail, Seq: f.Seq, Entity: f.Entity}
}

// pass says what a check proved, unless it failed.
func (c *checks) pass(id, format string, args ...any) {
	if k := c.check(id); k.OK {
		k.Detail = fmt.Sprintf(format, args...)
	}
}

func (c *checks) failed(id string) bool { return c.by[id] != nil && !c.by[id].OK }

// into writes the checks into a report, but for those that came to no end because
// the file did.
func (c *checks) into(r *Report) {
	r.OK, r.Checks = true, []Check{}
	for _, id := range c.order {
		k := *c.by[id]
		if k.Detail == "" {
			continue
		}
		if n := c.more[id]; n > 0 {
			k.Detail += fmt.Sprintf("; and %d more", n)
		}
		r.OK = r.OK && k.OK
		r.Checks = append(r.Checks, k)
	}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// count says so many are.
func count(n int, what string) string {
	if n == 1 {
		return plural(n, what) + " is"
	}
	return plural(n, what) + " are"
}
