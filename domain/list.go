package domain

import (
	"iter"
	"slices"
)

// List holds the parts of an aggregate by key, in the order in which they came.
// It is a value: With returns a new list and leaves the old one as it was, so
// the states before and after an event share every part that did not change.
type List[T any] struct{ parts []part[T] }

type part[T any] struct {
	key   Key
	value *T // never written through after With
}

// Get returns the part named key, and whether there is one.
func (l List[T]) Get(key Key) (T, bool) {
	if i := l.index(key); i >= 0 {
		return *l.parts[i].value, true
	}
	var none T
	return none, false
}

// Has reports whether there is a part named key.
func (l List[T]) Has(key Key) bool { return l.index(key) >= 0 }

// Len returns the number of parts.
func (l List[T]) Len() int { return len(l.parts) }

// All yields each part with its key, in the order in which they came.
func (l List[T]) All() iter.Seq2[Key, T] {
	return func(yield func(Key, T) bool) {
		for _, p := range l.parts {
			if !yield(p.key, *p.value) {
				return
			}
		}
	}
}

// Values is All without a copy of each part. States share what it yields: it
// must not be written to. A part that did not change is the same value in memory
// in every later state.
func (l List[T]) Values() iter.Seq2[Key, *T] {
	return func(yield func(Key, *T) bool) {
		for _, p := range l.parts {
			if !yield(p.key, p.value) {
				return
			}
		}
	}
}

// With returns the list with v as the part named key: in its place where there
// was one, else at the end.
func (l List[T]) With(key Key, v T) List[T] {
	return l.Edit(key, func(to *T) { *to = v })
}

// Edit is With what f makes of a copy of the part, of a new one where there was
// none.
func (l List[T]) Edit(key Key, f func(v *T)) List[T] {
	value := new(T)
	i := l.index(key)
	if i < 0 {
		f(value)
		return List[T]{append(slices.Clip(l.parts), part[T]{key, value})}
	}
	*value = *l.parts[i].value
	f(value)
	parts := slices.Clone(l.parts)
	parts[i].value = value
	return List[T]{parts}
}

func (l List[T]) index(key Key) int {
	for i := range l.parts {
		if l.parts[i].key == key {
			return i
		}
	}
	return -1
}

// each calls f for the keys of which the parts of old and l are not the same
// value in memory. Parts keep their places and are never removed, so the two
// lists are walked side by side.
func (l List[T]) each(old List[T], f func(key Key, before, after any)) {
	for i, p := range l.parts {
		switch {
		case i >= len(old.parts):
			f(p.key, nil, p.value)
		case old.parts[i].key != p.key: // not a later version of old
			var before any
			if j := old.index(p.key); j >= 0 {
				before = old.parts[j].value
			}
			f(p.key, before, p.value)
		case old.parts[i].value != p.value:
			f(p.key, old.parts[i].value, p.value)
		}
	}
	for _, p := range old.parts {
		if len(l.parts) < len(old.parts) && !l.Has(p.key) {
			f(p.key, p.value, nil)
		}
	}
}

// eachAny is each for callers that know the list only by reflection.
func (l *List[T]) eachAny(old any, f func(key Key, before, after any)) {
	var was List[T]
	if o, ok := old.(*List[T]); ok {
		was = *o
	}
	l.each(was, f)
}
