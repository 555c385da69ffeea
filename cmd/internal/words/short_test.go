package words

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/domain"
)

func TestShort(t *testing.T) {
	for number, want := range map[domain.Decimal][2]string{
		"0": {"0", "0"}, "999.5": {"999.5", "999.5"}, "12000": {"12,000", "1.2万"}, "255000000.5": {"255 million", "2.55亿"},
		"-1500000": {"−1.5 million", "−150万"}, "1000000000": {"1 billion", "10亿"},
	} {
		assert.Equal(t, want, [2]string{English.Short(number), Chinese.Short(number)}, number)
	}
}
