package domain_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
)

func TestFilesThatAnEventNames(t *testing.T) {
	hash := func(c string) string { return strings.Repeat(c, 64) }
	env := domain.Envelope{
		Evidence: []domain.Hash{domain.Hash(hash("a"))},
		Data: []byte(`{"document":"` + hash("b") + `","texts":["` + hash("c") + `","` + hash("B") + `","` + hash("d")[1:] + `","` +
			hash("e") + `0"],"title":"a \\"` + hash("1") + ` b","last":"` + hash("f") + `"}`),
	}
	var got []string
	for h, evidence := range env.Files() {
		if got = append(got, string(h[:1])); evidence {
			got = append(got, "evidence")
		}
	}
	assert.Equal(t, []string{"a", "evidence", "b", "c", "f"}, got)
	for range (&domain.Envelope{Data: []byte(`"` + hash("a"))}).Files() {
		t.Error("it is cut off")
	}
	for h := range env.Files() { // and none after that which was looked for
		assert.Equal(t, domain.Hash(hash("a")), h)
		break
	}
}
