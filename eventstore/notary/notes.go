package notary

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"github.com/milepost-ledger/milepost/eventstore/durable"
	"github.com/milepost-ledger/milepost/eventstore/proof"
)

// notes are the kept checkpoints of all trees, on disk and in memory.
type notes struct {
	dir    string
	ledger string
	keys   []note.Verifier

	mu   sync.RWMutex
	kept map[string][]proof.Signed // guarded by mu; by agreement, ascending in size; lists are replaced, never written to
}

const (
	ledgerDir       = "ledger"
	agreementPrefix = "agreement-"
	suffix          = ".checkpoint"
)

// NoteError says that a kept checkpoint is damaged, or not signed by a key of
// the ledger.
type NoteError struct {
	File string
	Err  error
}

func (e *NoteError) Error() string {
	return fmt.Sprintf("notary: %s is not a checkpoint of this ledger: %v", e.File, e.Err)
}

func (e *NoteError) Unwrap() error { return e.Err }

// readNotes reads what is in dir; there may be nothing yet.
func readNotes(dir, ledger string, keys []note.Verifier) (*notes, error) {
	n := &notes{dir: dir, ledger: ledger, keys: keys, kept: map[string][]proof.Signed{}}
	trees, err := namesIn(dir)
	if err != nil {
		return nil, err
	}
	for _, tree := range trees {
		if tree != ledgerDir && !strings.HasPrefix(tree, agreementPrefix) {
			continue // whoever put it there
		}
		files, err := namesIn(filepath.Join(dir, tree))
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			file := filepath.Join(dir, tree, name)
			switch {
			case strings.HasSuffix(name, suffix):
				if err := n.read(file); err != nil {
					return nil, &NoteError{File: file, Err: err}
				}
			case strings.HasSuffix(name, durable.Part): // a write that was interrupted
				if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) { // or that another process tries whether it can
					return nil, fmt.Errorf("notary: %w", err)
				}
			}
		}
	}
	for _, list := range n.kept {
		slices.SortFunc(list, func(a, b proof.Signed) int { return cmp.Compare(a.Size, b.Size) })
	}
	return n, nil
}

// namesIn lists a directory; one that is not there is empty. One that cannot be
// read is not: a log would be compared with nothing.
func namesIn(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("notary: look for checkpoints: %w", err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names, nil
}

// Writable reports why checkpoints could not be kept in dir, which is made where there is
// none.
func Writable(dir string) error {
	tree := filepath.Join(dir, ledgerDir)
	err := os.MkdirAll(tree, 0o750)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(tree, ".*"+durable.Part)
	if err != nil {
		return err
	}
	_ = os.Remove(f.Name()) // unless another process took it for what was interrupted, see readNotes
	return f.Close()
}

// Newest reads the newest kept checkpoint of a ledger's tree out of dir. It must be
// signed by key, a verifier key, else the error is a *NoteError; it is
// fs.ErrNotExist where none is kept.
func Newest(dir, ledger, key string) (proof.Signed, error) {
	keys, err := proof.Verifiers(key)
	if err != nil {
		return proof.Signed{}, err
	}
	n := &notes{dir: dir, ledger: ledger, keys: keys, kept: map[string][]proof.Signed{}}
	files, err := namesIn(filepath.Join(dir, ledgerDir))
	if err != nil {
		return proof.Signed{}, err
	}
	files = slices.DeleteFunc(files, func(name string) bool { return !strings.HasSuffix(name, suffix) })
	if len(files) == 0 {
		return proof.Signed{}, fmt.Errorf("notary: a checkpoint of the ledger in %s: %w", dir, fs.ErrNotExist)
	}
	file := filepath.Join(dir, ledgerDir, slices.Max(files)) // the sizes in their names have one length
	if err := n.read(file); err != nil {
		return proof.Signed{}, &NoteError{File: file, Err: err}
	}
	newest, _ := n.latest("")
	return newest, nil
}

// Restore writes a checkpoint that was kept elsewhere into dir, under the name by
// which Open finds it.
func Restore(dir string, s proof.Signed) error {
	ledger, agreement, err := proof.ParseOrigin(s.Origin)
	if err != nil {
		return err
	}
	n := &notes{dir: dir, ledger: ledger}
	if err := durable.WriteFile(n.file(agreement, s.Size), s.Note, 0o640); err != nil {
		return fmt.Errorf("notary: restore a checkpoint: %w", err)
	}
	return nil
}

func (n *notes) read(file string) error {
	msg, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s, err := proof.Open(msg, n.keys)
	if err != nil {
		return err
	}
	ledger, agreement, err := proof.ParseOrigin(s.Origin)
	if err == nil && (ledger != n.ledger || n.file(agreement, s.Size) != file) {
		err = fmt.Errorf("it is of the tree %s with %d leaves", s.Origin, s.Size)
	}
	if err == nil {
		n.kept[agreement] = append(n.kept[agreement], s)
	}
	return err
}

func (n *notes) file(agreement string, size uint64) string {
	tree := ledgerDir
	if agreement != "" {
		tree = agreementPrefix + agreement
	}
	return filepath.Join(n.dir, tree, fmt.Sprintf("%020d%s", size, suffix))
}

// of are the kept checkpoints of a tree, ascending in size.
func (n *notes) of(agreement string) []proof.Signed {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.kept[agreement]
}

// latest is the largest kept checkpoint of a tree.
func (n *notes) latest(agreement string) (proof.Signed, bool) {
	list := n.of(agreement)
	if len(list) == 0 {
		return proof.Signed{}, false
	}
	return list[len(list)-1], true
}

// put writes a note, in the place of the one of the same size, and drops what
// need not be kept any more. Only one put is under way at a time.
func (n *notes) put(agreement string, msg []byte) (proof.Signed, error) {
	s, err := proof.Open(msg, n.keys)
	if err != nil {
		return s, err
	}
	if err := durable.WriteFile(n.file(agreement, s.Size), msg, 0o640); err != nil {
		return s, fmt.Errorf("notary: keep a checkpoint: %w", err)
	}
	list := n.of(agreement)
	i, found := slices.BinarySearchFunc(list, s.Size, func(a proof.Signed, size uint64) int { return cmp.Compare(a.Size, size) })
	if found {
		list = slices.Clone(list) // callers may hold the old one
		list[i] = s
	} else {
		list = slices.Insert(slices.Clone(list), i, s)
	}
	list, err = n.prune(agreement, list)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kept[agreement] = list
	return s, err
}

// witness tells the keys apart that countersigned.
type witness struct {
	name string
	hash uint32
}

func witnessOf(c proof.Cosignature) witness { return witness{c.Name, c.KeyHash} }

// prune keeps the newest checkpoint, and the newest of each witness.
func (n *notes) prune(agreement string, list []proof.Signed) (kept []proof.Signed, err error) {
	seen := map[witness]bool{}
	for i := len(list) - 1; i >= 0; i-- {
		keep := i == len(list)-1
		for _, c := range list[i].Unverified {
			keep = keep || !seen[witnessOf(c)]
			seen[witnessOf(c)] = true
		}
		if keep {
			kept = append(kept, list[i])
			continue
		}
		if e := os.Remove(n.file(agreement, list[i].Size)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, fmt.Errorf("notary: drop a checkpoint: %w", e))
		}
	}
	slices.Reverse(kept)
	return kept, err
}

// SignedAt is when the newest checkpoint of the ledger was written, the zero time
// before the first.
func (n *Notary) SignedAt() time.Time {
	last, ok := n.notes.latest("")
	if !ok {
		return time.Time{}
	}
	info, err := os.Stat(n.notes.file("", last.Size))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime().UTC().Truncate(time.Second)
}
