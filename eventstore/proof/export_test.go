package proof

import "golang.org/x/mod/sumdb/note"

// Named is the key with the name and hash of another one, as can be found by
// trying.
func (w *Witness) Named(of note.Verifier) *Witness {
	named := *w
	named.name, named.hash = of.Name(), of.KeyHash()
	return &named
}
