package eventstore

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"slices"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
)

// Subscribers says who reads from the embedded server. It is asked at every
// connection, and must answer at once.
type Subscribers interface {
	// Reads names the consumer that the holder of a public NATS user key may
	// read now.
	Reads(publicKey string) (consumer string, ok bool)
	// Keys are those of all who may read now.
	Keys() []string
}

// gate decides who may connect to the embedded server: this process by its
// secret, and each subscriber by its signature of the nonce that the server gave
// to that connection.
//
// Each subscriber is in a NATS account of its own, which has nothing in it but
// the way to its consumer. That is what keeps it from writing: in the account of
// the log the permissions alone would not, because a client chooses the subject
// that an answer goes to, and is not asked whether it may publish there. One that
// asks for its next record, to be sent to a subject of the ledger, would have it
// appended (TestSubscriberCannotHaveAnswersSentIntoTheLog).
type gate struct {
	secret string

	mu          sync.RWMutex // held for reading while a client is let in
	store       *Store       // nil until open
	subscribers Subscribers

	accounts  sync.Mutex // held while an account is made
	consumers []string   // that have one
}

func (g *gate) open(s *Store, subscribers Subscribers) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.store, g.subscribers = s, subscribers
}

// shut lets nobody in any more.
func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.store = nil
}

// wait returns when those who were being let in are in: the next are asked anew.
func (g *gate) wait() {
	g.mu.Lock()
	defer g.mu.Unlock()
}

// Check is called by the server for each client that connects.
func (g *gate) Check(c server.ClientAuthentication) bool {
	opts := c.GetOpts()
	if subtle.ConstantTimeCompare([]byte(opts.Password), []byte(g.secret)) == 1 {
		c.RegisterUser(&server.User{Username: ownUser})
		return true
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.store == nil || c.Kind() != server.CLIENT || opts.Sig == "" {
		return false
	}
	sig, err := base64.RawURLEncoding.DecodeString(opts.Sig)
	if err != nil {
		return false
	}
	key := g.signer(opts.Nkey, c.GetNonce(), sig)
	consumer, ok := g.subscribers.Reads(key)
	if key == "" || !ok {
		return false
	}
	account, err := g.account(consumer)
	if err != nil {
		g.store.log.Error("a subscriber cannot be let in", "subscriber", consumer, "error", err)
		return false
	}
	if account.NumConnections() >= maxConnected {
		g.store.log.Warn("a subscriber has too many connections", "subscriber", consumer, "connections", maxConnected)
		return false
	}
	if account.NumConnections() == 0 { // whoever had a record in hand is gone, and this one cannot ask for any yet
		if err := g.store.giveBack(context.Background(), consumer); err != nil {
			g.store.log.Warn("a record that was not acknowledged is delivered again later", "subscriber", consumer, "error", err)
		}
	}
	publish, subscribe := Permissions(g.store.stream, consumer)
	c.RegisterUser(&server.User{Username: consumer, Account: account, Permissions: &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: subscribe},
	}})
	return true
}

// signer is the key that signed the nonce, "" for none that may read. A client
// with a credentials file shows a JWT instead of its key, and the server drops
// that before it asks: so whoever may read is tried.
func (g *gate) signer(key string, nonce, sig []byte) string {
	keys := []string{key}
	if key == "" {
		keys = g.subscribers.Keys()
	}
	for _, k := range keys {
		pub, err := nkeys.FromPublicKey(k)
		if err == nil && nkeys.IsValidPublicUserKey(k) && pub.Verify(nonce, sig) == nil {
			return k
		}
	}
	return ""
}

// account is the NATS account of a consumer's reader, with the way to it.
func (g *gate) account(consumer string) (*server.Account, error) {
	g.accounts.Lock()
	defer g.accounts.Unlock()
	srv := g.store.srv.Load()
	name := accountOf(consumer)
	account, isNew := srv.LookupOrRegisterAccount(name)
	if !isNew {
		return account, nil
	}
	ledger := srv.GlobalAccount()
	publish, _ := Permissions(g.store.stream, consumer)
	for _, subject := range publish {
		// Streamed: one request has many answers.
		err := ledger.AddServiceExportWithResponse(subject, server.Streamed, []*server.Account{account})
		if err == nil {
			err = ledger.SetServiceExportResponseThreshold(subject, answerTime)
		}
		if err == nil {
			err = account.AddServiceImport(ledger, subject, subject)
		}
		if err != nil {
			return nil, fmt.Errorf("account %s: %s: %w", name, subject, err)
		}
	}
	g.consumers = append(g.consumers, consumer)
	return account, nil
}

// known lists the consumers whose readers have been let in.
func (g *gate) known() []string {
	g.accounts.Lock()
	defer g.accounts.Unlock()
	return slices.Clone(g.consumers)
}

const ownUser = "milepost"

func accountOf(consumer string) string { return "subscriber-" + consumer }

// Disconnect ends the connections of a consumer's reader. When Subscribers does
// not name it any more, it has none when Disconnect returns, and gets none.
func (s *Store) Disconnect(consumer string) error {
	if s.gate == nil {
		return nil
	}
	s.gate.wait()
	account := accountOf(consumer)
	if _, err := s.srv.Load().LookupAccount(account); err != nil {
		return nil // it has not connected since the start
	}
	conns, err := s.srv.Load().Connz(&server.ConnzOptions{Account: account, Limit: maxConnections})
	if err != nil {
		return fmt.Errorf("eventstore: connections of %s: %w", consumer, err)
	}
	for _, c := range conns.Conns {
		_ = s.srv.Load().DisconnectClientByID(c.Cid) // or it is gone already
	}
	return nil
}

// Connections is how many a consumer's reader has now, to the embedded server.
func (s *Store) Connections(consumer string) int {
	if s.gate == nil {
		return 0
	}
	account, err := s.srv.Load().LookupAccount(accountOf(consumer))
	if err != nil {
		return 0
	}
	return account.NumConnections()
}
