package bulk

import (
	"encoding/binary"
	"slices"
)

// Value is what stands in a column: NULL where Type is the zero Type.
type Value struct {
	Type Type
	Int  int64
	Text string // or the bytes of a BLOB
}

// Type is SQLite's storage class of a value.
type Type byte

// The storage classes that there are here.
const (
	Null Type = iota
	Int
	Text
	Blob
)

// appendRecord appends values, and more of them, as SQLite stores a row.
func appendRecord(b []byte, values []Value, more ...Value) []byte {
	head := len(b)
	b = append(b, 0)
	for _, list := range [...][]Value{values, more} {
		for i := range list {
			b = appendVarint(b, list[i].serial())
		}
	}
	if size := len(b) - head; size <= 0x7f { // with its own length in it
		b[head] = byte(size)
	} else { // which takes two bytes from there on
		b = slices.Insert(b, head, 0)
		appendVarint(b[:head], uint64(size+1))
	}
	for _, list := range [...][]Value{values, more} {
		for i := range list {
			switch v := &list[i]; v.Type {
			case Int:
				b = appendInt(b, v.Int)
			case Text, Blob:
				b = append(b, v.Text...)
			}
		}
	}
	return b
}

// serial is the code of a value's type and size.
func (v *Value) serial() uint64 {
	switch v.Type {
	case Null:
		return 0
	case Int:
		return intSerial(v.Int)
	case Text:
		return 13 + 2*uint64(len(v.Text))
	default: // Blob
		return 12 + 2*uint64(len(v.Text))
	}
}

func intSerial(n int64) uint64 {
	switch {
	case n == 0:
		return 8
	case n == 1:
		return 9
	case n == int64(int8(n)):
		return 1
	case n == int64(int16(n)):
		return 2
	case n >= -1<<23 && n < 1<<23:
		return 3
	case n == int64(int32(n)):
		return 4
	case n >= -1<<47 && n < 1<<47:
		return 5
	}
	return 6
}

// appendInt appends a number in as many bytes as its serial says.
func appendInt(b []byte, n int64) []byte {
	switch intSerial(n) {
	case 8, 9:
		return b
	case 1:
		return append(b, byte(n))
	case 2:
		return binary.BigEndian.AppendUint16(b, uint16(n))
	case 3:
		return append(b, byte(n>>16), byte(n>>8), byte(n))
	case 4:
		return binary.BigEndian.AppendUint32(b, uint32(n))
	case 5:
		return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, uint16(n>>32)), uint32(n))
	}
	return binary.BigEndian.AppendUint64(b, uint64(n))
}
