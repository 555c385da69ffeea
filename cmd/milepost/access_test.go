package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// A token whose last day is past is said to be expired, and does not count any more.
func TestExpiredTokensDoNotCount(t *testing.T) {
	s := startSkewed(t, nodeConfig{})
	run := func(args ...string) string { t.Helper(); return s.run(t, "", args...) }
	// Given one token for 90 days and one for longer
	run("do", "grant-access", "--principal", "li-wei", "--role", "viewer")
	run("token", "create", "li-wei", "--label", "short")
	run("token", "create", "li-wei", "--label", "long", "--expires", time.Now().AddDate(0, 0, 300).Format(time.DateOnly))
	assert.Regexp(t, `(?m)^li-wei +viewer +2 +0$`, run("access", "list"))
	assert.Regexp(t, `(?m)^li-wei +\S+ +short +\S+ +false +false$`, run("token", "list"))

	// When the 90 days are over, then one counts, and the other is marked.
	s.clock.jump(100 * 24 * time.Hour)
	assert.Regexp(t, `(?m)^li-wei +viewer +1 +0$`, run("access", "list"))
	tokens := run("token", "list", "li-wei")
	assert.Regexp(t, `(?m)^li-wei +\S+ +short +\S+ +true +false$`, tokens)
	assert.Regexp(t, `(?m)^li-wei +\S+ +long +\S+ +false +false$`, tokens)
}
