package eventstore

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// LedgerWide stands where the agreement is, in the subject of an aggregate
// that belongs to the ledger as a whole.
const LedgerWide = "-"

const (
	subjectRoot   = "milepost"
	subjectTokens = 5
	maxSubject    = 255
)

// Subject is the literal subject of one aggregate:
//
//	milepost.<ledger>.<agreement>.<kind>.<key>
//
// It does not check its arguments: whatever is wrong with one (empty, a dot,
// a space, a wildcard) is still wrong in the result, and Append and Aggregate
// refuse it. A caller that wants to know earlier asks ParseSubject.
func Subject(ledger, agreement, kind, key string) string {
	return subjectRoot + "." + ledger + "." + agreement + "." + kind + "." + key
}

// ParseSubject is the inverse of Subject. The error is a *SubjectError.
func ParseSubject(subject string) (ledger, agreement, kind, key string, err error) {
	if len(subject) > maxSubject {
		return "", "", "", "", &SubjectError{subject, "too long"}
	}
	var tok [subjectTokens]string
	rest, more := subject, true
	for i := range tok {
		if !more {
			return "", "", "", "", &SubjectError{subject, "too few parts"}
		}
		tok[i], rest, more = strings.Cut(rest, ".")
		if why := badToken(tok[i]); why != "" {
			return "", "", "", "", &SubjectError{subject, why}
		}
	}
	if more {
		return "", "", "", "", &SubjectError{subject, "too many parts (a dot in one?)"}
	}
	if tok[0] != subjectRoot {
		return "", "", "", "", &SubjectError{subject, "does not begin with " + subjectRoot}
	}
	return tok[1], tok[2], tok[3], tok[4], nil
}

// badToken says what is wrong with one part of a subject, "" if nothing is.
func badToken(t string) string {
	if t == "" {
		return "an empty part"
	}
	for i := 0; i < len(t); i++ {
		c := t[i]
		switch {
		case c == '*' || c == '>':
			return "a wildcard"
		case c <= ' ' || c == 0x7f:
			return "a space or control character"
		case c >= utf8.RuneSelf:
			return badUnicode(t)
		}
	}
	return ""
}

func badUnicode(t string) string {
	for _, r := range t {
		switch {
		case r == utf8.RuneError:
			return "not valid UTF-8"
		case r == '*' || r == '>':
			return "a wildcard"
		case unicode.IsSpace(r) || unicode.IsControl(r) || !unicode.IsPrint(r):
			return "a space or control character"
		}
	}
	return ""
}

// checkSubject accepts the literal subjects of one ledger's aggregates.
func checkSubject(ledger, subject string) error {
	l, _, _, _, err := ParseSubject(subject)
	if err != nil {
		return err
	}
	if l != ledger {
		return &SubjectError{subject, "belongs to another ledger than " + ledger}
	}
	return nil
}

// checkFilter accepts what a reader may filter by: a subject of this ledger
// in which parts may be wildcards. An empty filter means everything.
func checkFilter(ledger, filter string) error {
	if filter == "" {
		return nil
	}
	parts := strings.Split(filter, ".")
	for i, p := range parts {
		switch {
		case p == "*":
		case p == ">" && i == len(parts)-1:
		default:
			if why := badToken(p); why != "" {
				return &SubjectError{filter, why}
			}
		}
	}
	if len(parts) < 3 || parts[0] != subjectRoot || parts[1] != ledger {
		return &SubjectError{filter, "does not begin with " + subjectRoot + "." + ledger + "."}
	}
	return nil
}

// CheckLedger refuses what cannot be the name of a ledger, with a *SubjectError.
func CheckLedger(name string) error {
	if name == "" || len(name) > 64 {
		return &SubjectError{name, "a ledger's name has 1 to 64 characters"}
	}
	for i := 0; i < len(name); i++ {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		case c == '-' && i > 0:
		default:
			return &SubjectError{name, "a ledger's name has only a-z, 0-9 and, not first, -"}
		}
	}
	return nil
}
