package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"sync"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/catalogue"
)

// task is one command on its way through the write path.
type task struct {
	Request
	typ    domain.CommandType
	id     string // the idempotency key, or one of our own
	global bool   // the key may have been used anywhere in the ledger
	sent   bool   // it was appended, and may be in the log

	unless      string // a refusal with this code means that it is done
	actingField string // the field that says in whose name it is asked
}

// newTask checks the request against the command's declaration and completes it.
func (l *Ledger) newTask(req Request) (*task, error) {
	typ, _, err := catalogue.Command(req.Command.Name())
	if err != nil {
		return nil, err
	}
	if err := typ.Check(req.Command, req.Meta); err != nil {
		return nil, err
	}
	t := &task{Request: req, typ: typ, id: req.Meta.IdempotencyKey}
	if t.hash == "" {
		t.hash = hashOf(req)
	}
	t.global = t.id != "" && !req.local
	if t.id == "" {
		t.id = newID()
	}
	if c, ok := req.Command.(domain.Creating); ok {
		t.Command = c.WithKey(domain.Key(newID()))
	}
	if t.Meta.Actor == "" {
		t.Meta.Actor = "anonymous"
	}
	t.actingField = "acting_for"
	if c, ok := req.Command.(domain.Acting); ok && t.Meta.ActingFor == "" {
		t.Meta.ActingFor, t.actingField = c.ActingParty(), "party"
	}
	return t, nil
}

// skipped is what an import counts of a command with which nothing is left to do.
func (t *task) skipped() Receipt {
	return Receipt{CommandID: t.id, Command: t.typ.Name, Replayed: true}
}

// needless reports whether a refusal says that nothing is left to do.
func (t *task) needless(err error) bool {
	var r *domain.Rejected
	return t.unless != "" && errors.As(err, &r) && r.Code == t.unless
}

// hashOf identifies what a request asks for, however its JSON was written: the
// same key with the same hash is the same command. What depends on the moment
// (default dates, the expected version) is not in it, nor is who asks: a file
// that somebody else imports again still adds nothing. More is hashed with it.
func hashOf(req Request, more ...string) string {
	buf := hashing.Get().(*bytes.Buffer)
	defer hashing.Put(buf)
	buf.Reset()
	enc := json.NewEncoder(buf)
	meta := req.Meta
	meta.IdempotencyKey, meta.ExpectedVersion, meta.Actor = "", nil, ""
	_ = enc.Encode(req.Command.Name()) // a buffer takes every write, and commands are plain structs
	_ = enc.Encode(req.Command)
	_ = enc.Encode(meta)
	for _, s := range more {
		_ = enc.Encode(s)
	}
	sum := sha256.Sum256(buf.Bytes())
	return hex.EncodeToString(sum[:16])
}

var hashing = sync.Pool{New: func() any { return new(bytes.Buffer) }}
