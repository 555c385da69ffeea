package main

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// Every field of a command that takes a key has its keys completed, but for
// those that no list of the server has.
func TestKeysOfEveryKindAreCompleted(t *testing.T) {
	unlisted := []string{
		"area", "areas", // of an agreement, which has them in one answer
		"parent",                     // an agreement's, a party's or an area's
		"entry",                      // of prior cooperation
		"grant", "token", "identity", // of a principal, which has them in one answer
	}
	for _, aggregate := range catalogue.Aggregates {
		for _, command := range aggregate.Commands {
			for _, f := range command.Fields {
				field := &f
				if f.Items != nil {
					field = f.Items
				}
				if field.Pattern != domain.KeyPattern || slices.Contains(unlisted, f.Name) {
					continue
				}
				kind := f.Name
				if other, ok := keyKinds[kind]; ok {
					kind = other
				}
				assert.Contains(t, keyLists, kind, "%s --%s", command.Name, flagName(f.Name))
			}
		}
	}
}
