package domain

import (
	"fmt"
	"slices"
	"strings"
)

// Codes of refusals that more than one aggregate uses. A code is part of the
// public contract: it never changes its meaning. Each aggregate adds its own
// beside its rules.
const (
	CodeMalformed      = "malformed"       // not JSON, or not one object
	CodeUnknownCommand = "unknown-command" // no such command in the catalogue
	CodeUnknownField   = "unknown-field"   // a field that the command does not have
	CodeMissingField   = "missing-field"   // a required field is absent or empty
	CodeInvalidValue   = "invalid-value"   // a value of the wrong type, form or range
	CodeNotFound       = "not-found"       // what the command is about, or refers to, does not exist
	CodeAlreadyExists  = "already-exists"  // the key is taken
	CodeBeyondEnd      = "beyond-end"      // a sequence that the log has not reached
	CodeWrongState     = "wrong-state"     // not possible in the present state
	CodeWrongParty     = "wrong-party"     // the party asked for may not do this
	CodeNothingChanged = "nothing-changed" // the command would change nothing
	CodeFutureDate     = "future-date"     // a date that has not come yet
	CodeStaleVersion   = "stale-version"   // the expected version is not the present one
	CodeKeyReused      = "idempotency-key-reused"
)

// Rejected is a refusal by a rule or by a command's declaration. It is final
// for the state it was decided on: asking the same again changes nothing.
type Rejected struct {
	Code    string // stable, kebab-case
	Message string // what is wrong and what to do, for a person
	Field   string // the command's field to blame, as in its JSON; "" when none is
}

func (r *Rejected) Error() string {
	if r.Field == "" {
		return r.Message
	}
	return r.Field + ": " + r.Message
}

// Refuse returns a refusal with a message formatted as by fmt.Sprintf.
func Refuse(code, field, format string, args ...any) *Rejected {
	return &Rejected{Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// NotFound refuses because kind key does not exist.
func NotFound(field, kind string, key Key) *Rejected {
	return Refuse(CodeNotFound, field, "there is no %s %q", kind, key)
}

// RequireKey refuses a creating command that came without a key; the ledger
// fills it in beforehand, see [Creating].
func RequireKey(field string, key Key) error {
	if key == "" {
		return Refuse(CodeMissingField, field, "give the new %s a key", field)
	}
	return nil
}

// WrongState refuses because kind key, which the field of that name says, is
// in a state that is none of wanted. hint says how to get on, or "".
func WrongState(kind string, key Key, state, hint string, wanted ...string) error {
	if hint != "" {
		hint = "; " + hint
	}
	return Refuse(CodeWrongState, kind, "%s %q is %s, and this is for one that is %s%s",
		kind, key, state, strings.Join(wanted, " or "), hint)
}

// Distinct refuses keys of which one is given twice.
func Distinct(field string, keys []Key) error {
	for i, k := range keys {
		if slices.Contains(keys[:i], k) {
			return Refuse(CodeInvalidValue, field, "%q is given twice", k)
		}
	}
	return nil
}

// NotFuture refuses a date of something done that has not come yet.
func (in Input) NotFuture(field string, date Date) error {
	if date > in.Today {
		return Refuse(CodeFutureDate, field, "%s has not come yet: today is %s; give the date on which it was done", date, in.Today)
	}
	return nil
}

// ActsFor refuses when the asker acts in the name of a party other than the
// one that the command's field party names.
func (in Input) ActsFor(party Key) error {
	if in.ActingFor != "" && in.ActingFor != party {
		return Refuse(CodeWrongParty, "party", "%q cannot act for %q; ask in the name of %q", in.ActingFor, party, party)
	}
	return nil
}
