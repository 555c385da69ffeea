package domain

import (
	"slices"
	"strings"
)

// ReasonCodes are the reasons for moving a date. The last one takes a note.
var ReasonCodes = []string{
	"scope-change", "funding-delay", "approval-delay", "supplier-delay", "technical-difficulty", "resource-shortage",
	"dependency-slip", "force-majeure", "policy-change", "accelerated", "correction", "other",
}

// Codes of the refusals of what a command carries to say why, or to show it.
const (
	CodeReasonRequired   = "reason-required"   // the rule asks for a reason
	CodeInvalidReason    = "invalid-reason"    // not one of ReasonCodes
	CodeNoteRequired     = "note-required"     // the reason "other" says nothing by itself
	CodeEvidenceRequired = "evidence-required" // the rule asks for evidence
)

// RequireReason refuses when no reason is given for what needs one.
func (in Input) RequireReason(what string) error {
	if in.Reason == "" {
		return Refuse(CodeReasonRequired, "reason", "%s takes a reason", what)
	}
	return nil
}

// RequireReasonCode refuses what moves a date without a reason code: what says
// what that is, "moving a date".
func (in Input) RequireReasonCode(what string) error {
	switch {
	case in.Reason == "":
		return Refuse(CodeReasonRequired, "reason", "%s takes a reason code: %s", what, strings.Join(ReasonCodes, ", "))
	case !slices.Contains(ReasonCodes, in.Reason):
		return Refuse(CodeInvalidReason, "reason", "%q is no reason code; give one of %s, and words in note", in.Reason, strings.Join(ReasonCodes, ", "))
	case in.Reason == "other" && in.Note == "":
		return Refuse(CodeNoteRequired, "note", "the reason other takes a note that says which")
	}
	return nil
}

// RequireEvidence refuses a claim that nothing shows.
func (in Input) RequireEvidence() error {
	if len(in.Evidence) == 0 {
		return Refuse(CodeEvidenceRequired, "evidence", "give the SHA-256 of at least one file that shows it")
	}
	return nil
}
