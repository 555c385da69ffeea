package eventstore

import (
	"context"
	"errors"
	"fmt"
)

// commit says on an external server that the ledger is whole. What is done then is
// not broken off.
func (r *Restoring) commit() error {
	if !r.begun {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
	defer cancel()
	if err := r.store.endMark(ctx); err != nil {
		return err
	}
	r.begun = false
	return nil
}

// undo closes the log, and removes what does not count from an external server.
func (r *Restoring) undo() (err error) {
	if r.begun {
		ctx, cancel := context.WithTimeout(context.Background(), openTimeout)
		defer cancel()
		r.lost = r.store != nil && r.store.read.FlushTimeout(2*silence) != nil
		if r.store != nil && !r.lost { // others hear that it is still there
			_ = r.answered(ctx)
			err = r.store.withdraw(ctx, r.cfg.mark)
		} else {
			err = onServer(ctx, Config{Ledger: r.cfg.Ledger, URL: r.cfg.URL, Creds: r.cfg.Creds}, func(ctx context.Context, s *Store) error {
				return s.withdraw(ctx, r.cfg.mark)
			})
		}
		if err != nil && !errors.Is(err, errRestored) {
			err = fmt.Errorf("what was restored so far stays on the server, and is no ledger before it is restored again: %w", err)
		}
	}
	return errors.Join(err, r.close())
}

// explain tells why a Restore failed whose connection did not last.
func (r *Restoring) explain(err error) error {
	if !r.lost {
		return err
	}
	return fmt.Errorf("eventstore: the connection to the server was lost, so restore it again: %w", err)
}

// close closes the log when the server has nothing of it left to do: it works off
// what it was sent even while it shuts down, and would write into what is removed.
func (r *Restoring) close() error {
	if r.store == nil {
		return nil
	}
	s := r.store
	if r.cfg.URL == "" {
		_ = r.answered(context.Background())
	}
	r.store = nil
	return s.Close()
}
