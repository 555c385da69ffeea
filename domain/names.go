package domain

import (
	"bytes"
	"iter"
)

// Files yields the hash of each file that an event names, and whether it does so as
// evidence: that was stored before the event was. In its data a hash may be that of a
// document that is signed, or of one on paper that nobody ever stored. The hashes share
// the event's memory.
func (v *Envelope) Files() iter.Seq2[Hash, bool] {
	return func(yield func(Hash, bool) bool) {
		for _, hash := range v.Evidence {
			if !yield(hash, true) {
				return
			}
		}
		const size = 64
		for data := []byte(v.Data); ; {
			i := bytes.IndexByte(data, '"')
			if i < 0 {
				return
			}
			if data = data[i+1:]; len(data) <= size || data[size] != '"' || !Hash(data[:size]).Valid() {
				continue
			}
			if !yield(Hash(data[:size]), false) {
				return
			}
			data = data[size:]
		}
	}
}
