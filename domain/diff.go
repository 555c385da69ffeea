package domain

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
)

// Change is one field that differs between two states of an aggregate.
type Change struct {
	Part   string // "milestone/design" for a field of a part; "" for one of the aggregate's own
	Field  string // name as in JSON; "term.end" for a field of an object
	Before any    // nil where there was none
	After  any    // nil where there is none now
}

// Diff yields each field that differs between the states before and after of
// one aggregate, in the order of their declaration. Each field of *S with a
// json name takes part, and every [List] with its parts, named by the tag
// `part:"milestone"`; only `diff:"-"` keeps a field out, for what other fields
// already tell. A nil state has no fields.
func Diff[S any](before, after *S, yield func(Change)) {
	p := planOf(reflect.TypeFor[S]())
	p.diff("", reflect.ValueOf(before), reflect.ValueOf(after), yield)
}

// plan is what reflection found out about one struct type.
type plan struct {
	fields []planField
	lists  []planList
}

type planField struct {
	name  string
	index []int
	kind  reflect.Kind
	memory
}

type planList struct {
	part  string
	index []int
	parts *plan
	memory
}

// listLike is a *List[T] of any T.
type listLike interface {
	eachAny(old any, f func(key Key, before, after any))
}

var (
	plans    sync.Map // reflect.Type -> *plan
	listType = reflect.TypeFor[listLike]()
)

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p := &plan{}
	p.add(t, "", nil, 0)
	plans.Store(t, p)
	return p
}

// add adds the fields of a struct that stands at an offset within the planned one.
func (p *plan) add(t reflect.Type, prefix string, index []int, offset uintptr) {
	for i := range t.NumField() {
		sf := t.Field(i)
		where := memory{offset + sf.Offset, sf.Type.Size()}
		at := append(append([]int{}, index...), i)
		name, _, _ := strings.Cut(sf.Tag.Get("json"), ",")
		switch {
		case sf.Tag.Get("diff") == "-":
		case reflect.PointerTo(sf.Type).Implements(listType):
			part, ok := reflect.Zero(sf.Type).Field(0).Type().Elem().FieldByName("value")
			if !ok || sf.Tag.Get("part") == "" {
				panic(fmt.Sprintf("domain: %s.%s: a List needs a part tag", t, sf.Name))
			}
			p.lists = append(p.lists, planList{sf.Tag.Get("part"), at, planOf(part.Type.Elem()), where})
		case sf.Anonymous:
			p.add(sf.Type, prefix, at, where.offset)
		case name == "" || name == "-":
			panic(fmt.Sprintf("domain: %s.%s has neither a json name nor diff:\"-\"", t, sf.Name))
		case sf.Type.Kind() == reflect.Struct:
			p.add(sf.Type, prefix+name+".", at, where.offset)
		default:
			p.fields = append(p.fields, planField{prefix + name, at, sf.Type.Kind(), where})
		}
	}
}

// diff compares two pointers to the planned struct; either may be nil.
func (p *plan) diff(part string, before, after reflect.Value, yield func(Change)) {
	if before.Pointer() == after.Pointer() {
		return
	}
	var b, a reflect.Value
	if !before.IsNil() {
		b = before.Elem()
	}
	if !after.IsNil() {
		a = after.Elem()
	}
	is, was := after.UnsafePointer(), before.UnsafePointer()
	for i := range p.fields {
		if f := &p.fields[i]; !f.untouched(was, is) {
			f.diff(part, b, a, yield)
		}
	}
	for i := range p.lists {
		l := &p.lists[i]
		if l.untouched(was, is) { // no part changed
			continue
		}
		if !a.IsValid() {
			a = reflect.New(b.Type()).Elem()
		}
		list := a.FieldByIndex(l.index)
		var old any
		if b.IsValid() {
			old = b.FieldByIndex(l.index).Addr().Interface()
		}
		list.Addr().Interface().(listLike).eachAny(old, func(key Key, was, is any) {
			var room [internLength]byte
			name := append(append(append(room[:0], l.part...), '/'), key...)
			l.parts.diff(Intern(name), orNil(was, is), orNil(is, was), yield)
		})
	}
}

// orNil returns v, or a nil pointer of the type of like where v is nil.
func orNil(v, like any) reflect.Value {
	if v == nil {
		return reflect.Zero(reflect.TypeOf(like))
	}
	return reflect.ValueOf(v)
}

func (f *planField) diff(part string, b, a reflect.Value, yield func(Change)) {
	var bv, av reflect.Value
	if b.IsValid() {
		bv = b.FieldByIndex(f.index)
	}
	if a.IsValid() {
		av = a.FieldByIndex(f.index)
	}
	if f.same(bv, av) {
		return
	}
	yield(Change{Part: part, Field: f.name, Before: value(bv), After: value(av)})
}

// same compares two values of the field; one that is not there equals one that
// says nothing.
func (f *planField) same(b, a reflect.Value) bool {
	switch {
	case !b.IsValid():
		return !a.IsValid() || a.IsZero()
	case !a.IsValid():
		return b.IsZero()
	}
	switch f.kind {
	case reflect.String:
		return b.String() == a.String()
	case reflect.Int, reflect.Int32, reflect.Int64:
		return b.Int() == a.Int()
	case reflect.Bool:
		return b.Bool() == a.Bool()
	case reflect.Slice, reflect.Map:
		if b.Len() != a.Len() {
			return false
		}
		if b.Len() == 0 || b.Pointer() == a.Pointer() { // states share what did not change
			return true
		}
	}
	return reflect.DeepEqual(b.Interface(), a.Interface())
}

// value returns what the field says, nil where it says nothing; a number or a
// truth value always says something.
func value(v reflect.Value) any {
	if !v.IsValid() {
		return nil
	}
	if v.IsZero() {
		switch {
		case v.Type() == reflect.TypeFor[Date](), !v.CanInt() && v.Kind() != reflect.Bool:
			return nil
		}
	}
	return v.Interface()
}
