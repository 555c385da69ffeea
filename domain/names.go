package domain

import "bytes"

// EachFile calls f with the hash of each file that an event names: as evidence, which
// was stored before the event was, and in its data, where a hash may be that of a
// document that is signed, or of one on paper that nobody ever stored. The hashes share
// the event's memory.
func (v *Envelope) EachFile(f func(hash Hash, evidence bool)) {
	for _, hash := range v.Evidence {
		f(hash, true)
	}
	const size = 64
	for data := []byte(v.Data); ; {
		i := bytes.IndexByte(data, '"')
		if i < 0 {
			return
		}
		if data = data[i+1:]; len(data) > size && data[size] == '"' {
			if hash := Hash(data[:size]); hash.Valid() {
				f(hash, false)
				data = data[size:]
			}
		}
	}
}
