package eventstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// Readers of a cluster are served by any of its servers. Where the copy of one is damaged
// they read another, and get all there is.
func TestRead_pastACopyThatIsDamaged(t *testing.T) {
	t.Parallel()
	for name, damaged := range map[string]string{"in the middle": "said second", "at the end": "said third"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// given a log on three servers, and a damaged copy on one that does not lead
			_, urls := damagedCopy(t, logStream, damaged, 1, func(s *eventstore.Store) {
				mustAppend(t, s, message("p1", 0, "said first"))
				mustAppend(t, s, message("p2", 0, "said second"))
				mustAppend(t, s, message("p3", 0, "said third"))
			})
			// when it is read again and again
			s := openWith(t, eventstore.Config{URL: urls, Ledger: "test"})
			s.SetStall(200 * time.Millisecond)
			want := []string{"1 p1 said first", "2 p2 said second", "3 p3 said third"}
			for range 12 {
				// then all of it comes, to who reads to the end
				assert.Equal(t, want, log(t, s))
				// and to who follows
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				var got []string
				for r, err := range s.Subscribe(ctx, 1, "") {
					require.NoError(t, err)
					if got = append(got, line(r)); r.Seq == 3 {
						break
					}
				}
				cancel()
				assert.Equal(t, want, got)
			}
		})
	}
}
