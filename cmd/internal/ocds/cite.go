package ocds

import (
	"fmt"
	"iter"
	"slices"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/amendment"
	"github.com/milepost-ledger/milepost/domain/project"
)

// Keep stores bytes as evidence under their SHA-256. What is stored already is
// no error.
type Keep func(name domain.Hash, content []byte) error

// handOut yields the commands, each after what it cites is kept.
func (c *converter) handOut(keep Keep) iter.Seq[ledger.Item] {
	return func(yield func(ledger.Item) bool) {
		kept := map[domain.Hash]bool{}
		for _, item := range c.items {
			for _, name := range item.Meta.Evidence {
				if kept[name] {
					continue
				}
				if err := keep(name, c.files[name]); err != nil {
					yield(ledger.Item{Line: item.Line, Err: fmt.Errorf("keep what the release says as evidence: %w", err)})
					return
				}
				kept[name] = true
			}
			if !yield(item) {
				return
			}
		}
	}
}

// keep has the source stored before a command that cites it.
func (c *converter) keep(s source) domain.Hash {
	c.files[s.hash] = s.json
	return s.hash
}

// published is a document that is published, and what it is about.
type published struct {
	source
	about string // aboutContract, aboutImplementation, or the key of a milestone
}

const (
	aboutContract       = "contract"
	aboutImplementation = "implementation"
)

// publish notes the documents that are new.
func (p *progress) publish(documents []document, about string) {
	for _, d := range documents {
		if !p.documents[d.hash] {
			p.documents[d.hash] = true
			p.uncited = append(p.uncited, published{d.source, about})
		}
	}
}

// cite has each document cited by the first command of the contract in the
// present release that is about the same, or else by the first at all. Where
// there is none it waits for the next release.
func (c *converter) cite(p *progress, start int) {
	items := c.items[start:]
	first := slices.IndexFunc(items, func(i ledger.Item) bool { return i.Command.Ref().Agreement != "" })
	if first < 0 {
		return
	}
	for _, d := range p.uncited {
		at := slices.IndexFunc(items, func(i ledger.Item) bool { return aboutOf(i.Command) == d.about })
		if at < 0 {
			at = first
		}
		items[at].Meta.Evidence = append(items[at].Meta.Evidence, c.keep(d.source))
	}
	p.uncited = nil
}

// aboutOf says what a command is about.
func aboutOf(cmd domain.Command) string {
	switch cmd := cmd.(type) {
	case project.Schedule:
		return string(cmd.Milestone)
	case project.Reforecast:
		return string(cmd.Milestone)
	case project.Claim:
		return string(cmd.Milestone)
	case project.Judge:
		return string(cmd.Milestone)
	case project.Reopen:
		return string(cmd.Milestone)
	}
	switch ref := cmd.Ref(); {
	case ref.Kind == agreement.Kind, ref.Kind == amendment.Kind:
		return aboutContract
	case ref.Agreement != "":
		return aboutImplementation
	}
	return ""
}
