package domain

import "sync/atomic"

// Keys and short values come again and again: those of a project at each of its events,
// "milestone-1" in every project. What was met lately is kept once, so a log that is
// read takes no memory for each mention, and texts that are the same are compared by
// where they lie.

// internSize is how many texts are kept, at most one for each place that a text may
// have: a new one takes the place of the one before.
const internSize = 1 << 12

// internLength bounds their length: with it, what is kept has a few hundred KB at most.
const internLength = 64

var interned [internSize]atomic.Pointer[string]

// Intern returns b as a string, the one that it was before where it came lately.
func Intern(b []byte) string {
	if len(b) == 0 || len(b) > internLength {
		return string(b)
	}
	h := uint32(2166136261) // FNV-1a
	for _, c := range b {
		h = (h ^ uint32(c)) * 16777619
	}
	place := &interned[(h^h>>16)%internSize]
	if s := place.Load(); s != nil && *s == string(b) {
		return *s
	}
	s := string(b)
	place.Store(&s)
	return s
}
