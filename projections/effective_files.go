package projections

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/milepost-ledger/milepost/domain"
)

// How many files of the second axis are kept beside those in use, of how many
// events together, how many questions one answers at a time, and how many are
// made at a time.
const (
	maxEffective       = 8
	maxEffectiveEvents = 1 << 20
	effectiveReaders   = 4
	effectiveBuilders  = 2
)

// effectiveFiles are the files of the second axis that were last asked. Equal
// questions share one, also while it is made; it is made on a goroutine of its
// own, so that it does not fail for those who wait when the first of them goes,
// and is given up when all of them have gone.
type effectiveFiles struct {
	builders chan struct{}  // one entry for each that is being made
	running  sync.WaitGroup // who makes and removes files
	inUse    sync.WaitGroup // who reads them, or waits for one

	mu     sync.Mutex
	kept   []*effective // the one asked last first
	made   int          // names files
	closed bool
}

func (c *effectiveFiles) init() { c.builders = make(chan struct{}, effectiveBuilders) }

// get returns the file of an agreement and a sequence, which build makes if
// there is none, in use until it is released.
func (c *effectiveFiles) get(dir string, of domain.Key, seq uint64, build func(context.Context, *effective, string) error) (*effective, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, ErrClosed
	}
	i := slices.IndexFunc(c.kept, func(e *effective) bool { return e.agreement == of && e.seq == seq })
	if i < 0 {
		i = len(c.kept)
		c.made++
		c.kept = append(c.kept, c.begin(of, seq, effectiveName(dir, c.made), build))
	}
	e := c.kept[i]
	copy(c.kept[1:], c.kept[:i])
	c.kept[0] = e
	e.users++
	c.inUse.Add(1)
	c.bound()
	return e, nil
}

func (c *effectiveFiles) begin(of domain.Key, seq uint64, path string, build func(context.Context, *effective, string) error) *effective {
	ctx, cancel := context.WithCancel(context.Background())
	e := &effective{agreement: of, seq: seq, built: make(chan struct{}), cancel: cancel}
	c.running.Go(func() {
		defer cancel()
		select {
		case c.builders <- struct{}{}:
			e.err = build(ctx, e, path)
			<-c.builders
		case <-ctx.Done():
			e.err = ctx.Err()
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		close(e.built)
		if e.err != nil {
			c.forgetOne(e)
		}
		c.bound()
		c.tidy(e)
	})
	return e
}

// release ends a use of e.
func (c *effectiveFiles) release(e *effective) {
	defer c.inUse.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	e.users--
	if e.users == 0 && !e.isBuilt() {
		c.forgetOne(e)
		e.cancel()
	}
	c.tidy(e)
}

// bound forgets what was not asked for longest, while there is too much.
func (c *effectiveFiles) bound() {
	events := 0
	for i, e := range c.kept {
		if e.isBuilt() {
			events += len(e.events)
		}
		if i >= maxEffective || i > 0 && events > maxEffectiveEvents {
			for _, e := range slices.Clone(c.kept[i:]) {
				c.forgetOne(e)
				c.tidy(e)
			}
			return
		}
	}
}

// forgetOne has nobody new get e.
func (c *effectiveFiles) forgetOne(e *effective) {
	e.forgotten = true
	c.kept = slices.DeleteFunc(c.kept, func(k *effective) bool { return k == e })
}

// tidy removes the file of e once it is forgotten and not in use.
func (c *effectiveFiles) tidy(e *effective) {
	if e.forgotten && e.users == 0 && e.isBuilt() && e.file != nil {
		f := e.file
		e.file = nil
		c.running.Go(func() { _ = f.remove() }) // what is left behind goes when the models are opened next
	}
}

func (e *effective) isBuilt() bool {
	select {
	case <-e.built:
		return true
	default:
		return false
	}
}

// forget has every file be made anew.
func (c *effectiveFiles) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range slices.Clone(c.kept) {
		c.forgetOne(e)
		c.tidy(e)
	}
}

// close waits for those who read, and removes every file.
func (c *effectiveFiles) close() {
	c.mu.Lock()
	c.closed = true
	for _, e := range c.kept {
		e.cancel()
	}
	c.mu.Unlock()
	c.inUse.Wait()
	c.forget()
	c.running.Wait()
}

func effectiveName(dir string, n int) string {
	return filepath.Join(dir, fmt.Sprintf("effective-%06d.db", n))
}

// removeEffective removes the files of a process that did not end well.
func removeEffective(dir string) error {
	names, err := filepath.Glob(filepath.Join(dir, "effective-*.db*"))
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}
