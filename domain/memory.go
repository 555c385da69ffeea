package domain

import "unsafe"

// memory is where a field lies within a struct.
//
// A state begins as a copy of the one before, so of its fields nearly all are the same
// to the byte. To see that takes a fraction of what it takes to read each one by
// reflection, and at every event every field is looked at.
type memory struct{ offset, size uintptr }

// untouched reports whether the field is the same to the byte in two structs, so that
// it says the same: what it points to is shared by the two. It is not where either is
// nil. A field that is not may say the same still.
func (m memory) untouched(before, after unsafe.Pointer) bool {
	return before != nil && after != nil && m.bytes(before) == m.bytes(after)
}

// bytes are those of the field, for as long as nothing is written to it.
func (m memory) bytes(of unsafe.Pointer) string {
	return unsafe.String((*byte)(unsafe.Add(of, m.offset)), m.size)
}
