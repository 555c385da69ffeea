package faults_test

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What may come of damage. That something is lost and nobody told, or that a sequence
// is given out twice, is nowhere in it.
const (
	whole   = "whole"   // the server starts, and all is there that was acknowledged
	refused = "refused" // it does not start, and says why
	named   = "named"   // it starts, all events are there, and a file of evidence that is not whole is answered as damaged, or as not stored, and never as another
	differs = "differs" // it starts, all events are there, and a replay says where the read models are not what the log gives, and that rebuild makes them again, which it does
)

const streams = "jetstream/jetstream/$G/streams/"

// kinds are all classes of files in a data directory, with what may come of it when
// one of them has a bit flipped, its end cut off, or is gone. A refusal matches says.
var kinds = []struct {
	name            string
	files           string // pattern; the newest of those that match is damaged
	flip, cut, gone []string
	says            string
}{
	{"message block", streams + "milepost-main/msgs/*.blk", []string{refused}, []string{refused}, []string{refused}, `the log disagrees with the checkpoint|the log ends at|read models`},
	{"index of the blocks", streams + "milepost-main/msgs/index.db", []string{whole}, []string{whole}, []string{whole}, ""},
	{"description of the stream", streams + "milepost-main/meta.inf", []string{whole, refused}, []string{whole, refused}, []string{whole, refused}, `milepost-main|the log disagrees`},
	{"checksum of the description", streams + "milepost-main/meta.sum", []string{whole, refused}, []string{whole, refused}, []string{whole, refused}, `milepost-main|the log disagrees`},
	{"block of evidence", streams + "OBJ_milepost-main/msgs/*.blk", []string{named, whole}, []string{named}, []string{named}, ""},
	{"description of the evidence", streams + "OBJ_milepost-main/meta.inf", []string{whole, named, refused}, []string{whole, named, refused}, []string{whole, named, refused}, `OBJ_milepost-main`},
	{"state of a consumer", streams + "milepost-main/obs/*/o.dat", []string{whole}, []string{whole}, []string{whole}, ""},
	{"description of a consumer", streams + "milepost-main/obs/*/meta.inf", []string{whole, refused}, []string{whole}, []string{whole}, `subscriber erp|consumer "erp"`},
	{"read models", "read-v*.db", []string{whole, refused, differs}, []string{whole, refused}, []string{whole}, `remove the file to have it made again`},
	{"their write-ahead log", "read-v*.db-wal", []string{whole}, []string{whole}, []string{whole, refused}, `remove the file to have it made again`},
	{"view", "views/*/read-v*.db", []string{whole}, []string{whole}, []string{whole}, ""},
	{"signing key", "ledger.key", []string{refused}, []string{refused}, []string{refused}, `ledger\.key`},
	{"key of webhooks", "webhook.key", []string{whole}, []string{whole}, []string{whole}, ""}, // what cannot be delivered is named while it runs
	{"administrator's token", "admin.token", []string{whole, refused}, []string{refused}, []string{whole}, `holds no administrator's token`},
	{"checkpoint", "checkpoints/ledger/*.checkpoint", []string{refused}, []string{refused}, []string{whole}, `is not a checkpoint of this ledger`},
	{"checkpoint of an agreement", "checkpoints/agreement-*/*.checkpoint", []string{refused}, []string{refused}, []string{whole}, `is not a checkpoint of this ledger`},
}

// TestCorruption damages every class of file, after a clean stop and after a crash,
// with the index of the blocks and without: it is found, named and refused, or what
// was damaged is made again; a backup repairs it; and nothing that was acknowledged
// is lost without a word, or its sequence given to something else.
func TestCorruption(t *testing.T) {
	every := thorough(t, 0, 1) == 1
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	// given a ledger with all classes of files, stopped, and killed
	l := newVictim(t)
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			type damage struct {
				name    string
				do      func(t *testing.T, file string, random *rand.Rand)
				allowed []string
			}
			damages := []damage{{"flip", flipBit, k.flip}, {"cut", cutEnd, k.cut}, {"gone", removeFile, k.gone}}
			if !every {
				damages = []damage{damages[random.IntN(len(damages))]}
			}
			for _, d := range damages {
				stops := l.having(t, k.files)
				if !every {
					stops = stops[random.IntN(len(stops)):][:1]
				}
				for _, stop := range stops {
					indexes := []bool{true}
					if strings.HasSuffix(k.files, ".blk") {
						indexes = append(indexes, false)
					}
					for _, index := range indexes {
						t.Run(fmt.Sprintf("%s, %s, index %t", d.name, stop, index), func(t *testing.T) {
							dir := filepath.Join(t.TempDir(), "data")
							copyData(t, l.dirs[stop], dir)
							files, err := filepath.Glob(filepath.Join(dir, k.files))
							require.NoError(t, err)
							file := slices.Max(files)
							d.do(t, file, random)
							if !index {
								indexes, err := filepath.Glob(filepath.Join(filepath.Dir(file), "index.db"))
								require.NoError(t, err)
								for _, file := range indexes {
									require.NoError(t, os.Remove(file))
								}
							}
							outcome, said := l.outcome(t, dir, l.promises[stop])
							t.Logf("%s: %s", outcome, said)
							assert.Contains(t, d.allowed, outcome, said)
							if outcome == refused {
								assert.Regexp(t, k.says, said)
							}
							if outcome != whole && strings.HasPrefix(k.files, streams) {
								l.requireRepaired(t, dir, k.files)
							}
						})
					}
				}
			}
		})
	}
	t.Run("restored from the backup", l.requireRestored)
}

func flipBit(t *testing.T, file string, random *rand.Rand) {
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	if len(b) > 0 {
		b[len(b)/4+random.IntN(len(b)/2+1)] ^= 1 << random.IntN(8)
	}
	require.NoError(t, os.WriteFile(file, b, 0o600))
}

func cutEnd(t *testing.T, file string, random *rand.Rand) {
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(file, info.Size()*int64(5+random.IntN(90))/100))
}

func removeFile(t *testing.T, file string, _ *rand.Rand) { require.NoError(t, os.Remove(file)) }

// copyData copies a data directory that nobody holds. What was staged in memory when
// it was killed stays with the original, and is lost to the copy as in a power cut.
func copyData(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, name), 0o700)
		}
		if d.Type() == fs.ModeSymlink {
			target, err := os.Readlink(path)
			return errors.Join(err, os.Symlink(target, filepath.Join(to, name)))
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), b, 0o600)
	}))
}
