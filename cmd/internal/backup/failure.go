package backup

import "fmt"

// Codes of what can be wrong. They never change their meaning.
const (
	CodeNotABackup      = "not-a-backup"     // something else
	CodeVersion         = "backup-version"   // of a later version of the format
	CodeCutShort        = "backup-cut-short" // its end is missing
	CodeDamaged         = "backup-damaged"   // changed after it was written
	CodeMalformed       = "backup-malformed" // not in the form that the package describes
	CodeForeign         = "foreign-backup"   // of another ledger than was asked for
	CodeEventMissing    = "event-missing"    // a sequence is left out
	CodeEventChanged    = "event-changed"    // the records are not those that were signed
	CodeNotSigned       = "not-signed"       // a checkpoint without a valid signature of the ledger
	CodeWrongKey        = "wrong-key"        // the ledger's key is not the one that was given
	CodeRotationBroken  = "rotation-broken"  // one key does not lead to the next
	CodeEvidenceChanged = "evidence-changed" // a file has not the hash that names it
	CodeNotTheKey       = "not-the-key"      // a key to sign with that is not the ledger's present one
	CodeKeysMalformed   = "keys-malformed"   // a file of keys that is none, or was damaged
	CodeKeysForeign     = "keys-of-another"  // the keys of another ledger
)

// Failure says what is wrong: Code is for programs, the rest for people.
type Failure struct {
	Code   string
	Detail string
	Seq    uint64 // the sequence that it is about, 0 for none
}

func (f *Failure) Error() string { return fmt.Sprintf("%s (code %s)", f.Detail, f.Code) }

func notABackup() *Failure {
	return failure(CodeNotABackup, "this is no backup: it does not begin with the entry %s", nameHead)
}

func failure(code, format string, args ...any) *Failure {
	return &Failure{Code: code, Detail: fmt.Sprintf(format, args...)}
}
