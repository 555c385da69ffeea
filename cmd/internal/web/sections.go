package web

import (
	"slices"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
)

// section is a part of the site, as the navigation has it.
type section struct{ Name, Title, Path string }

// Sections are the parts of the site that are there and that the asker may see.
func (v *visit) Sections() []section {
	all := []section{
		{"overview", v.Say("Overview"), "/"},
		{"awaiting", v.Say("Awaiting me"), "/awaiting"},
		{"changes", v.Say("Changes"), "/changes"},
		{"do", v.Say("Record"), "/do"},
		{"audit", v.Say("Audit"), "/audit"},
		{"access", v.Say("Access"), "/access"},
		{"connections", v.Say("Connections"), "/connections"},
	}
	return slices.DeleteFunc(all, func(s section) bool {
		pattern := "GET " + s.Path
		if s.Path == "/" {
			pattern += "{$}"
		}
		right, ok := access.Route(pattern)
		return !ok || !v.Principal.Begin(right)
	})
}
