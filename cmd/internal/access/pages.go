package access

import (
	"maps"
	"slices"
)

// pages has the right that each page takes, by its pattern, in the order in which the
// site leads to them. What a page shows is the asker's view, and what its forms do is
// judged as the commands that they send.
var pages = map[string]Right{
	"GET /access":                                                           audits, // others are told nothing of it by the API
	"GET /access/{principal}":                                               audits,
	"GET /agreements/{agreement}":                                           reads,
	"GET /agreements/{agreement}/amendments/{amendment}":                    reads,
	"GET /agreements/{agreement}/funds":                                     reads,
	"GET /agreements/{agreement}/funds/{fund}":                              reads,
	"GET /agreements/{agreement}/meetings":                                  reads,
	"GET /agreements/{agreement}/meetings/{meeting}":                        reads,
	"GET /agreements/{agreement}/projects":                                  reads,
	"GET /agreements/{agreement}/projects/{project}":                        reads,
	"GET /agreements/{agreement}/projects/{project}/milestones/{milestone}": reads,
	"GET /agreements/{agreement}/results":                                   reads,
	"GET /agreements/{agreement}/results/{indicator}":                       reads,
	"GET /assets/{file}":                                                    open,
	"GET /audit":                                                            reads,
	"GET /audit/events/{seq}":                                               reads,
	"POST /audit/replay":                                                    auditsAll,
	"GET /awaiting":                                                         reads,
	"GET /changes":                                                          reads,
	"GET /connections":                                                      audits,
	"POST /connections/{webhook}/secret":                                    administers,
	"GET /do":                                                               reads,
	"GET /do/{command}":                                                     reads, // and by the command's own right
	"POST /do/{command}":                                                    reads, // likewise
	"POST /language":                                                        open,
	"GET /parties/{party}":                                                  reads,
	"GET /{$}":                                                              reads,
}

// IsPage reports whether a pattern is of a page, and so what goes wrong there is
// told to a person.
func IsPage(pattern string) bool {
	_, ok := pages[pattern]
	return ok
}

// Pages lists the patterns of the pages, for the test that the table has no more and
// no fewer than there are.
func Pages() []string { return slices.Sorted(maps.Keys(pages)) }

// Attaching is the right to store a file that a command will name.
func Attaching() Right { return attaches }
