package eventstore_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/eventstore"
)

// standing are the subscribers of a test: consumers by key.
type standing struct {
	mu sync.Mutex
	of map[string]string
}

func (s *standing) Reads(key string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	consumer, ok := s.of[key]
	return consumer, ok
}

func (s *standing) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := []string{}
	for k := range s.of {
		keys = append(keys, k)
	}
	return keys
}

func (s *standing) set(key, consumer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if consumer == "" {
		delete(s.of, key)
		return
	}
	s.of[key] = consumer
}

// outside is a store that listens, and its subscribers.
type outside struct {
	*eventstore.Store
	standing *standing
}

func listen(t *testing.T, change ...func(*eventstore.Config)) outside {
	t.Helper()
	cfg := config(t)
	cfg.Listen = "127.0.0.1:0"
	for _, c := range change {
		c(&cfg)
	}
	o := outside{openWith(t, cfg), &standing{of: map[string]string{}}}
	require.NoError(t, o.Admit(t.Context(), o.standing))
	return o
}

// add makes a subscriber of agreement a1, and returns its credentials file.
func (o outside) add(t *testing.T, name string) (key eventstore.UserKey, creds string) {
	t.Helper()
	require.NoError(t, o.EnsureConsumer(t.Context(), eventstore.Consumer{Name: name, Filters: []string{"milepost.test.a1.>"}}))
	key, err := eventstore.NewUserKey()
	require.NoError(t, err)
	o.standing.set(key.Public, name)
	return key, writeCreds(t, o.Store, key, name)
}

func writeCreds(t *testing.T, s *eventstore.Store, key eventstore.UserKey, name string) string {
	t.Helper()
	token, err := s.UserJWT(name, key.Public)
	require.NoError(t, err)
	text, err := key.Credentials(token)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), name+".creds")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	return file
}

// violations are what the server refused on a connection.
type violations struct {
	mu  sync.Mutex
	all []string
}

// next waits for the next refusal.
func (v *violations) next(t *testing.T, of string) string {
	t.Helper()
	var first string
	eventually(t, "refused: "+of, func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		if len(v.all) == 0 {
			return false
		}
		first, v.all = strings.ToLower(v.all[0]), v.all[1:]
		return true
	})
	return first
}

// dial connects as a subscriber does.
func (o outside) dial(t *testing.T, name, creds string, more ...nats.Option) (*nats.Conn, jetstream.JetStream, *violations) {
	t.Helper()
	refused := &violations{}
	opts := append([]nats.Option{
		nats.UserCredentials(creds), nats.CustomInboxPrefix(eventstore.Inbox(name)), nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			refused.mu.Lock()
			defer refused.mu.Unlock()
			refused.all = append(refused.all, err.Error())
		}),
	}, more...)
	nc, err := nats.Connect(o.Address(), opts...)
	require.NoError(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	return nc, js, refused
}

// next reads one record and acknowledges it.
func next(t *testing.T, c jetstream.Consumer) string {
	t.Helper()
	msg, err := c.Next(jetstream.FetchMaxWait(patience))
	require.NoError(t, err)
	require.NoError(t, msg.DoubleAck(t.Context()))
	return string(msg.Data())
}

func TestSubscriberReadsItsAgreementInOrder(t *testing.T) {
	// given a log with records of two agreements
	o := listen(t)
	mustAppend(t, o.Store, message("p", 0, "one"))
	mustAppend(t, o.Store, eventstore.Message{Subject: eventstore.Subject("test", "a2", "project", "p"), Data: []byte("other")})
	mustAppend(t, o.Store, message("q", 0, "two"))
	key, creds := o.add(t, "erp")

	// when a program reads with the credentials file
	_, js, _ := o.dial(t, "erp", creds)
	c, err := js.Consumer(t.Context(), o.Stream(), "erp")
	require.NoError(t, err)

	// then it gets those of its agreement, and what comes later
	assert.Equal(t, "one", next(t, c))
	assert.Equal(t, "two", next(t, c))
	mustAppend(t, o.Store, message("r", 0, "three"))
	assert.Equal(t, "three", next(t, c))
	states, err := o.Consumers(t.Context())
	require.NoError(t, err)
	require.Len(t, states, 1)
	assert.Equal(t, "erp", states[0].Name)
	assert.EqualValues(t, 4, states[0].Acknowledged)
	assert.EqualValues(t, 0, states[0].Pending)
	assert.WithinDuration(t, time.Now(), states[0].LastActive, patience)
	assert.Equal(t, 1, o.Connections("erp"))

	// and the seed alone is enough for a client that shows its key
	file := filepath.Join(t.TempDir(), "seed")
	require.NoError(t, os.WriteFile(file, key.Seed, 0o600))
	withKey, err := nats.NkeyOptionFromSeed(file)
	require.NoError(t, err)
	nc, err := nats.Connect(o.Address(), withKey)
	require.NoError(t, err)
	nc.Close()
}

func TestStrangersAreRefused(t *testing.T) {
	o := listen(t)
	_, creds := o.add(t, "erp")
	stranger, err := eventstore.NewUserKey()
	require.NoError(t, err)
	strangers := writeCreds(t, o.Store, stranger, "erp") // which says that it is erp's
	mine, err := os.ReadFile(creds)
	require.NoError(t, err)
	token := strings.Split(string(mine), "\n")[1]
	for what, opts := range map[string][]nats.Option{
		"nobody":                           nil,
		"the name of the process":          {nats.UserInfo("milepost", "")},
		"a wrong secret":                   {nats.UserInfo("milepost", "guess")},
		"a token":                          {nats.Token("erp")},
		"credentials of another key":       {nats.UserCredentials(strangers)},
		"the JWT with another's signature": {nats.UserJWT(func() (string, error) { return token, nil }, func([]byte) ([]byte, error) { return make([]byte, 64), nil })},
		"the key without its signature":    {nats.Nkey(stranger.Public, func([]byte) ([]byte, error) { return make([]byte, 64), nil })},
	} {
		_, err := nats.Connect(o.Address(), append(opts, nats.NoReconnect())...)
		assert.ErrorIs(t, err, nats.ErrAuthorization, what)
	}
}

func TestSubscriberMayNothingElse(t *testing.T) {
	o := listen(t)
	mustAppend(t, o.Store, message("p", 0, "one"))
	_, creds := o.add(t, "erp")
	o.add(t, "bi")
	nc, _, refused := o.dial(t, "erp", creds)
	before := log(t, o.Store)
	stream := o.Stream()
	for _, subject := range []string{
		"milepost.test.a1.project.p", "milepost.test.a2.project.p", "anything",
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO." + stream,
		"$JS.API.STREAM.CREATE.x", "$JS.API.STREAM.UPDATE." + stream, "$JS.API.STREAM.DELETE." + stream, "$JS.API.STREAM.PURGE." + stream,
		"$JS.API.STREAM.MSG.GET." + stream, "$JS.API.STREAM.MSG.DELETE." + stream, "$JS.API.STREAM.SNAPSHOT." + stream,
		"$JS.API.DIRECT.GET." + stream, "$JS.API.DIRECT.GET." + stream + ".milepost.test.a2.project.p",
		"$JS.API.CONSUMER.CREATE." + stream, "$JS.API.CONSUMER.CREATE." + stream + ".mine", "$JS.API.CONSUMER.CREATE." + stream + ".erp",
		"$JS.API.CONSUMER.CREATE." + stream + ".erp.milepost.test.>", "$JS.API.CONSUMER.DURABLE.CREATE." + stream + ".erp",
		"$JS.API.CONSUMER.NAMES." + stream, "$JS.API.CONSUMER.LIST." + stream, "$JS.API.CONSUMER.DELETE." + stream + ".erp",
		"$JS.API.CONSUMER.PAUSE." + stream + ".erp", "$JS.API.CONSUMER.RESET." + stream + ".erp", "$JS.API.CONSUMER.UNPIN." + stream + ".erp",
		"$JS.API.CONSUMER.MSG.NEXT." + stream + ".bi", "$JS.API.CONSUMER.INFO." + stream + ".bi", "$JS.ACK." + stream + ".bi.1.1.1.1.0",
		"$JS.ACK._.h." + stream + ".bi.1.1.1.1.0", "$JS.FC." + stream + ".erp.x", "_INBOX_bi.x", "_INBOX.x", "$SYS.REQ.USER.INFO", "$SYS.REQ.SERVER.PING",
		"$O.milepost-test.C.x", "$JS.API.CONSUMER.INFO.OBJ_milepost-test.erp",
	} {
		require.NoError(t, nc.PublishRequest(subject, "_INBOX_erp.x", []byte(`{}`)))
		assert.Contains(t, refused.next(t, subject), "permissions violation for publish to \""+strings.ToLower(subject)+"\"")
	}
	for _, subject := range []string{">", "milepost.>", "milepost.test.a1.>", "_INBOX.>", "_INBOX_bi.>", "*.>", "$SYS.>", "$JS.>", "$JS.EVENT.ADVISORY.>", "_R_.>"} {
		_, err := nc.SubscribeSync(subject)
		require.NoError(t, err)
		assert.Contains(t, refused.next(t, subject), "permissions violation for subscription to \""+strings.ToLower(subject)+"\"")
	}
	assert.Equal(t, before, log(t, o.Store))
}

// In one account with the log, each of these has the server itself append the
// answer: a client names any subject to be answered on.
func TestSubscriberCannotHaveAnswersSentIntoTheLog(t *testing.T) {
	o := listen(t)
	mustAppend(t, o.Store, message("p", 0, "one"), message("q", 0, "two"))
	_, creds := o.add(t, "erp")
	_, others := o.add(t, "bi")
	nc, js, _ := o.dial(t, "erp", creds)
	victim, _, _ := o.dial(t, "bi", others)
	inbox, err := victim.SubscribeSync("_INBOX_bi.>")
	require.NoError(t, err)
	require.NoError(t, victim.Flush())
	before := log(t, o.Store)
	stream := o.Stream()
	for i, into := range []string{"milepost.test.a1.project.forged", "_INBOX_bi.x", "$O.milepost-test.C.x", "$JS.API.STREAM.DELETE." + stream} {
		for _, ask := range []*nats.Msg{
			{Subject: "$JS.API.CONSUMER.INFO." + stream + ".erp"},
			{Subject: "$JS.API.CONSUMER.MSG.NEXT." + stream + ".erp", Data: []byte(`{"batch":1,"no_wait":true}`)},
			{Subject: "$JS.API.CONSUMER.MSG.NEXT." + stream + ".erp", Data: []byte(`not json`)},
			{Subject: "$JS.ACK." + stream + ".erp.1.1.1.1.0", Data: []byte("+NXT")},
			{Subject: "$JS.ACK." + stream + ".erp.1.1.1.1.0", Data: []byte("-NAK")}, // it is there again for the next turn
			{Subject: "$JS.API.CONSUMER.INFO." + stream + ".erp", Header: nats.Header{"Nats-Trace-Dest": {into}}},
			{Subject: "$JS.ACK." + stream + ".erp.1.1.1.1.0", Data: []byte("-NAK"), Header: nats.Header{"Nats-Trace-Dest": {into}}},
		} {
			ask.Reply = into
			require.NoError(t, nc.PublishMsg(ask))
		}
		require.NoError(t, nc.Flush(), i)
	}
	// then, when an answer has gone the whole way, nothing is where it was sent
	c, err := js.Consumer(t.Context(), stream, "erp")
	require.NoError(t, err)
	_, err = c.Info(t.Context())
	require.NoError(t, err)
	require.NoError(t, victim.Flush())
	assert.Equal(t, before, log(t, o.Store))
	n, _, err := inbox.Pending()
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestSubscriberIsCutOffAndGoesOn(t *testing.T) {
	// given a subscriber that has read one record and waits for more
	o := listen(t)
	mustAppend(t, o.Store, message("p", 0, "one"))
	key, creds := o.add(t, "erp")
	closed := make(chan struct{})
	_, js, _ := o.dial(t, "erp", creds, nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	c, err := js.Consumer(t.Context(), o.Stream(), "erp")
	require.NoError(t, err)
	assert.Equal(t, "one", next(t, c))

	// when it is cut off
	o.standing.set(key.Public, "")
	require.NoError(t, o.PauseConsumer(t.Context(), "erp"))
	require.NoError(t, o.Disconnect("erp"))

	// then it has no connection any more, gets no other, and is shown as paused
	<-closed
	_, err = nats.Connect(o.Address(), nats.UserCredentials(creds))
	require.ErrorIs(t, err, nats.ErrAuthorization)
	mustAppend(t, o.Store, message("q", 0, "two"))
	eventually(t, "the record is pending, and not delivered", func() bool {
		states, err := o.Consumers(t.Context())
		return assert.NoError(t, err) && states[0].Paused && states[0].Pending == 1 && states[0].AckPending == 0
	})
	assert.Zero(t, o.Connections("erp"))

	// and when that is lifted, it goes on where it was
	require.NoError(t, o.ResumeConsumer(t.Context(), "erp"))
	o.standing.set(key.Public, "erp")
	_, js, _ = o.dial(t, "erp", creds)
	c, err = js.Consumer(t.Context(), o.Stream(), "erp")
	require.NoError(t, err)
	assert.Equal(t, "two", next(t, c))

	// and without its consumer nothing is left of it
	require.NoError(t, o.DeleteConsumer(t.Context(), "erp"))
	require.NoError(t, o.DeleteConsumer(t.Context(), "erp"))
	states, err := o.Consumers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, states)
}

// A reader that ended with a record in hand has it again when it is back, before
// AckWait, and before the next one.
func TestSubscriberGetsAgainWhatItDidNotAcknowledge(t *testing.T) {
	o := listen(t)
	mustAppend(t, o.Store, message("p", 0, "one"))
	mustAppend(t, o.Store, eventstore.Message{Subject: eventstore.Subject("test", "a2", "project", "p"), Data: []byte("other")})
	mustAppend(t, o.Store, message("q", 0, "two"))
	_, creds := o.add(t, "erp")
	require.Less(t, patience, eventstore.AckWait)
	for range 3 {
		nc, js, _ := o.dial(t, "erp", creds)
		c, err := js.Consumer(t.Context(), o.Stream(), "erp")
		require.NoError(t, err)
		msg, err := c.Next(jetstream.FetchMaxWait(patience))
		require.NoError(t, err)
		require.Equal(t, "one", string(msg.Data()))
		nc.Close()
		eventually(t, "gone", func() bool { return o.Connections("erp") == 0 })
	}
	_, js, _ := o.dial(t, "erp", creds)
	c, err := js.Consumer(t.Context(), o.Stream(), "erp")
	require.NoError(t, err)
	assert.Equal(t, "one", next(t, c))
	assert.Equal(t, "two", next(t, c))
}

func TestSubscribersHaveFewConnections(t *testing.T) {
	o := listen(t)
	_, creds := o.add(t, "erp")
	_, others := o.add(t, "bi")
	for range 16 {
		o.dial(t, "erp", creds)
	}
	_, err := nats.Connect(o.Address(), nats.UserCredentials(creds))
	require.ErrorIs(t, err, nats.ErrAuthorization)
	o.dial(t, "bi", others)
}

// The configuration for an external server's operator lets a subscriber read, and
// nothing else.
func TestSubscriberOfAnExternalServer(t *testing.T) {
	// given a server with the ledger in an account, and a subscriber
	keyFile := filepath.Join(t.TempDir(), "seed")
	key, err := eventstore.NewUserKey()
	require.NoError(t, err)
	text, err := key.Credentials("")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(keyFile, text, 0o600))
	dir := t.TempDir()
	run := func(exports, account string) *server.Server {
		opts := &server.Options{}
		require.NoError(t, opts.ProcessConfigString(`
			listen: "127.0.0.1:-1", jetstream: { store_dir: "`+dir+`", sync_interval: always, max_file: 1G }
			accounts: { LEDGER: { jetstream: enabled, users: [ { user: ledger, password: secret } ], `+exports+` }
				`+account+` }`))
		opts.NoSigs, opts.NoLog = true, true
		srv, err := server.NewServer(opts)
		require.NoError(t, err)
		srv.Start()
		require.True(t, srv.ReadyForConnections(patience))
		return srv
	}
	openAt := func(srv *server.Server) *eventstore.Store {
		s, err := eventstore.Open(t.Context(), eventstore.Config{Ledger: "test", URL: strings.Replace(srv.ClientURL(), "//", "//ledger:secret@", 1)})
		require.NoError(t, err)
		return s
	}
	srv := run("", "")
	s := openAt(srv)
	require.False(t, s.Embedded())
	mustAppend(t, s, message("p", 0, "one"), message("q", 0, "two"))
	require.NoError(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: "erp"}))
	require.NoError(t, s.Disconnect("erp"))
	assert.Equal(t, srv.ClientURL(), s.Address(), "without the user")

	// when the operator adds what is said
	configuration := s.Configuration("erp", key.Public)
	exports, account, ok := strings.Cut(configuration, "# Beside it")
	require.True(t, ok, configuration)
	require.NoError(t, s.Close())
	srv.Shutdown()
	srv.WaitForShutdown()
	srv = run(exports, "# Beside it"+account)
	defer func() { srv.Shutdown(); srv.WaitForShutdown() }()
	s = openAt(srv)
	defer func() { assert.NoError(t, s.Close()) }()

	// then the subscriber reads, and has no answer sent into the log
	option, err := nats.NkeyOptionFromSeed(keyFile)
	require.NoError(t, err)
	nc, err := nats.Connect(srv.ClientURL(), option, nats.CustomInboxPrefix(eventstore.Inbox("erp")))
	require.NoError(t, err)
	defer nc.Close()
	js, err := jetstream.NewWithAPIPrefix(nc, eventstore.ExternalAPI)
	require.NoError(t, err)
	before := log(t, s)
	require.NoError(t, nc.PublishRequest("MILEPOST.API.CONSUMER.INFO.milepost-test.erp", "milepost.test.a1.project.forged", nil))
	require.NoError(t, nc.Publish("milepost.test.a1.project.forged", nil))
	c, err := js.Consumer(t.Context(), "milepost-test", "erp")
	require.NoError(t, err)
	assert.Equal(t, "one", next(t, c))
	assert.Equal(t, "two", next(t, c))
	assert.Equal(t, before, log(t, s))
}

func TestConsumersOfOthersAreLeftAlone(t *testing.T) {
	s := open(t)
	js, err := jetstream.New(s.Raw())
	require.NoError(t, err)
	_, err = js.CreateConsumer(t.Context(), s.Stream(), jetstream.ConsumerConfig{Durable: "theirs"})
	require.NoError(t, err)
	assert.ErrorContains(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: "theirs"}), "choose another name")
	assert.ErrorContains(t, s.DeleteConsumer(t.Context(), "theirs"), "did not make")
	states, err := s.Consumers(t.Context())
	require.NoError(t, err)
	assert.Empty(t, states)
	assert.Error(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: "A.b"}))
	assert.Error(t, s.EnsureConsumer(t.Context(), eventstore.Consumer{Name: "a", Filters: []string{"other.>"}}))

	// and one of ours keeps its place when what it reads changes
	ctx := context.Background()
	require.NoError(t, s.EnsureConsumer(ctx, eventstore.Consumer{Name: "ours", From: 7, Filters: []string{"milepost.test.a1.>"}}))
	require.NoError(t, s.EnsureConsumer(ctx, eventstore.Consumer{Name: "ours", From: 1, Filters: []string{"milepost.test.a1.>", "milepost.test.a2.>"}}))
	c, err := js.Consumer(ctx, s.Stream(), "ours")
	require.NoError(t, err)
	assert.EqualValues(t, 7, c.CachedInfo().Config.OptStartSeq)
	assert.Len(t, c.CachedInfo().Config.FilterSubjects, 2)
	assert.Equal(t, 1, c.CachedInfo().Config.MaxAckPending)
}
