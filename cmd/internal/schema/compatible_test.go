package schema_test

import (
	"fmt"
	"maps"
	"slices"
)

type object = map[string]any

// breaks lists how events or readers that hold to the published schema may not
// hold to the present one. Only these may differ: words for people; a member
// that comes and is optional; a value that comes where values are listed and
// others allowed. What the rules do not know they refuse.
func breaks(published, present object) []string {
	c := &comparison{}
	c.schema("", published, present, false)
	slices.Sort(c.found)
	return c.found
}

type comparison struct{ found []string }

func (c *comparison) say(path, format string, args ...any) {
	if path == "" {
		path = "the event"
	}
	c.found = append(c.found, path+": "+fmt.Sprintf(format, args...))
}

// schema compares two schemas of the value at path. Listed says that values
// beside those listed are allowed, by an alternative next to these schemas.
func (c *comparison) schema(path string, was, is object, listed bool) {
	keywords := maps.Clone(was)
	maps.Copy(keywords, is)
	for keyword := range keywords {
		before, after := was[keyword], is[keyword]
		switch keyword {
		case "title", "description", "examples":
		case "$schema", "$id", "type", "const", "format", "pattern",
			"minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties":
			if before != after {
				c.say(path, "%s was %v and is %v", keyword, or(before), or(after))
			}
		case "enum":
			c.values(path, before, after, listed)
		case "properties":
			c.properties(path, before, after)
		case "required":
			c.required(path, before, after)
		case "items":
			c.nested(path+"[]", keyword, before, after)
		case "additionalProperties":
			_, one := before.(object)
			_, other := after.(object)
			if one && other {
				c.nested(path+".*", keyword, before, after)
			} else if one || other || (before == false) != (after == false) {
				c.say(path, "additionalProperties was %v and is %v", or(before), or(after))
			}
		case "anyOf":
			c.alternatives(path, before, after)
		default:
			if fmt.Sprint(before) != fmt.Sprint(after) {
				c.say(path, "%s differs, and no rule says whether it may", keyword)
			}
		}
	}
}

func or(v any) any {
	if v == nil {
		return "absent"
	}
	return v
}

func (c *comparison) properties(path string, before, after any) {
	was, _ := before.(object)
	is, _ := after.(object)
	for name, s := range was {
		if is[name] == nil {
			c.say(path+"."+name, "the member is gone")
			continue
		}
		c.schema(path+"."+name, s.(object), is[name].(object), false)
	}
}

func (c *comparison) required(path string, before, after any) {
	was, is := list(before), list(after)
	for _, name := range is {
		if !slices.Contains(was, name) {
			c.say(path+"."+name.(string), "the member is now required: events that are stored may lack it")
		}
	}
	for _, name := range was {
		if !slices.Contains(is, name) {
			c.say(path+"."+name.(string), "the member is now optional: readers count on it")
		}
	}
}

func (c *comparison) values(path string, before, after any, listed bool) {
	was, is := list(before), list(after)
	switch {
	case before == nil:
		c.say(path, "the values are now listed")
		return
	case after == nil:
		c.say(path, "the values are no longer listed")
		return
	}
	for _, v := range was {
		if !slices.Contains(is, v) {
			c.say(path, "the value %v is gone", v)
		}
	}
	for _, v := range is {
		if !listed && !slices.Contains(was, v) {
			c.say(path, "the value %v is new, and readers were told that there are no others", v)
		}
	}
}

func (c *comparison) nested(path, keyword string, before, after any) {
	was, one := before.(object)
	is, other := after.(object)
	if !one || !other {
		c.say(path, "%s was %v and is %v", keyword, or(before), or(after))
		return
	}
	c.schema(path, was, is, false)
}

// alternatives compares lists of values beside which others are allowed: two
// schemas, one with the list, one of any string.
func (c *comparison) alternatives(path string, before, after any) {
	was, is := list(before), list(after)
	if len(was) != len(is) {
		c.say(path, "there were %d alternatives and are %d", len(was), len(is))
		return
	}
	for i := range was {
		c.schema(path, was[i].(object), is[i].(object), openList(was) && openList(is))
	}
}

// openList reports whether one of the alternatives takes any string.
func openList(alternatives []any) bool {
	return slices.ContainsFunc(alternatives, func(v any) bool {
		s := maps.Clone(v.(object))
		delete(s, "description")
		return len(s) == 1 && s["type"] == "string"
	})
}

func list(v any) []any {
	all, _ := v.([]any)
	return all
}
