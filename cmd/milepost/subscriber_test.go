package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/subscribers"
	"github.com/milepost-ledger/milepost/eventstore"
)

// reader is a program of its own that reads as the subscriber erp: what the README
// shows, and the event on a line. It is run by this test binary under its name.
func reader() {
	ctx := context.Background()
	address, credentials := os.Args[1], os.Args[2]
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}

	nc, err := nats.Connect(address, nats.UserCredentials(credentials), nats.CustomInboxPrefix("_INBOX_erp"),
		nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort()) // cut off, it tries again until it is let in
	check(err)
	js, err := jetstream.New(nc)
	check(err)
	consumer, err := js.Consumer(ctx, "milepost-main", "erp")
	check(err)
	_, err = consumer.Consume(func(event jetstream.Msg) {
		fmt.Printf("%s\n", event.Data()) // the CloudEvent
		check(event.Ack())               // done with it: the next one may come
	})
	check(err)

	select {}
}

// subscribed is a server that listens for subscribers, with the setup of the
// scripts in its log and erp as a subscriber to it.
type subscribed struct {
	*child
	dir         string
	address     string
	credentials string
}

func subscribe(t *testing.T, flags ...string) subscribed {
	t.Helper()
	s := subscribed{dir: t.TempDir(), credentials: filepath.Join(t.TempDir(), "erp.creds")}
	s.child = startServer(t, s.dir, append([]string{"--nats-listen", "127.0.0.1:0"}, flags...)...)
	s.must(t, "import", "testdata/setup.jsonl")
	out := s.must(t, "subscriber", "add", "erp", "--agreement", "pact", "--out", s.credentials, "-o", "json")
	var c subscribers.Credentials
	require.NoError(t, json.Unmarshal([]byte(out), &c))
	s.address = c.Address
	assert.Equal(t, subscribers.Credentials{
		Subscriber: "erp", Address: s.address, Stream: "milepost-main", Consumer: "erp", InboxPrefix: "_INBOX_erp", JWT: c.JWT,
	}, c)
	return s
}

func TestSubscribersAreToldWhereInTheAsyncAPIDocument(t *testing.T) {
	s := subscribe(t)
	resp, err := s.ask(http.MethodGet, "/asyncapi.json", "")
	require.NoError(t, err)
	defer func() { assert.NoError(t, resp.Body.Close()) }()
	var doc struct {
		Servers map[string]struct{ Host string }
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&doc))
	assert.Equal(t, s.address, "nats://"+doc.Servers["nats"].Host)
}

func (s subscribed) must(t *testing.T, args ...string) string {
	t.Helper()
	out, code := s.run(t, nil, args...)
	require.Equal(t, exitDone, code)
	return out
}

// reforecast makes an event of the agreement, and returns its sequence.
func (s subscribed) reforecast(t *testing.T, days int) uint64 {
	t.Helper()
	out := s.must(t, "do", "reforecast-milestone", "--agreement", "pact", "--project", "base", "--milestone", "design",
		"--forecast", time.Date(2031, 1, days, 0, 0, 0, 0, time.UTC).Format(time.DateOnly), "--reason", "supplier-delay", "-o", "json")
	var receipt struct{ Seq uint64 }
	require.NoError(t, json.Unmarshal([]byte(out), &receipt))
	return receipt.Seq
}

// lag is what the ledger says of erp.
func (s subscribed) lag(t *testing.T) (lag subscribers.Lag) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(s.must(t, "subscriber", "lag", "erp", "-o", "json")), &lag))
	return lag
}

// program starts reader; events are the ids that it prints.
func (s subscribed) program(t *testing.T) (events <-chan string, kill func()) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	name := filepath.Join(t.TempDir(), "reader")
	require.NoError(t, os.Symlink(self, name))
	cmd := exec.Command(name, s.address, s.credentials)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	ids := make(chan string, 1000)
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(ids)
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var event struct{ ID string }
			if json.Unmarshal(lines.Bytes(), &event) == nil { // a line that was cut off is no event
				ids <- event.ID
			}
		}
	}()
	ended := false
	kill = func() {
		if !ended {
			ended = true
			_ = cmd.Process.Kill()
			<-read
			_ = cmd.Wait()
		}
	}
	t.Cleanup(kill)
	return ids, kill
}

// expect waits for the next event.
func expect(t *testing.T, events <-chan string) string {
	t.Helper()
	select {
	case got, ok := <-events:
		require.True(t, ok, "the program ended")
		return got
	case <-time.After(20 * time.Second):
		require.Fail(t, "no event came")
		return ""
	}
}

// A program with the written credentials, killed at random times and cut off on
// the way, has every event of its agreement once it has caught up, in the order of
// the log; one again only where it was killed with it in hand.
func TestSubscriberMissesNothing(t *testing.T) {
	// Given a program that has read what was there
	s := subscribe(t)
	before := s.lag(t)
	require.Positive(t, before.Pending)
	events, kill := s.program(t)
	var got []string
	take := func() { got = append(got, expect(t, events)) }
	for range before.Pending {
		take()
	}
	require.Eventually(t, func() bool { return s.lag(t).AckPending == 0 }, 20*time.Second, 20*time.Millisecond)
	lag := s.lag(t)
	assert.Equal(t, 1, lag.Connections)
	assert.Zero(t, lag.Pending)
	assert.NotNil(t, lag.LastActive)

	// When it is killed again and again while events come
	for round := range 5 {
		for day := range 6 {
			s.reforecast(t, 1+round*6+day)
			if day == round {
				kill()
				for event := range events { // what it printed before
					got = append(got, event)
				}
			}
		}
		events, kill = s.program(t)
	}

	// and something of the agreement is restricted while it is connected
	require.Eventually(t, func() bool { return s.lag(t).Pending+uint64(s.lag(t).AckPending) == 0 }, 20*time.Second, 20*time.Millisecond)
	s.must(t, "do", "restrict-access", "--agreement", "pact", "--project", "base")
	require.Eventually(t, func() bool { return s.lag(t).Connections == 0 }, 20*time.Second, 20*time.Millisecond)
	assert.Equal(t, subscribers.CutOff, s.lag(t).State)
	assert.Regexp(t, `(?m)^erp +pact +false +cut-off `, s.must(t, "subscriber", "list"))
	last := s.reforecast(t, 100)
	_, err := nats.Connect(s.address, nats.UserCredentials(s.credentials))
	require.ErrorIs(t, err, nats.ErrAuthorization)
	assert.EqualValues(t, 1, s.lag(t).Pending)
	assert.Regexp(t, `(?m)^subscribers active +0\nsubscribers cut off +1\nsubscribers pending +1$`, s.must(t, "status"))

	// and that is lifted
	s.must(t, "do", "lift-restriction", "--agreement", "pact", "--project", "base")
	require.Eventually(t, func() bool { return s.lag(t).Acknowledged >= last }, 20*time.Second, 20*time.Millisecond)
	assert.Equal(t, subscribers.Active, s.lag(t).State)

	// Then it has read all there is, in order.
	s.stop(t, syscall.SIGTERM)
	kill()
	for event := range events {
		got = append(got, event)
	}
	assert.Equal(t, s.written(t), slices.Compact(got))
}

// written are the ids of the agreement's events in the log of a stopped server.
func (s subscribed) written(t *testing.T) (ids []string) {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: s.dir, Ledger: "main"})
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	last, err := store.Last(t.Context())
	require.NoError(t, err)
	for rec, err := range store.Read(t.Context(), 1, last, "milepost.main.pact.>") {
		require.NoError(t, err)
		var event struct{ ID string }
		require.NoError(t, json.Unmarshal(rec.Data, &event))
		ids = append(ids, event.ID)
	}
	return ids
}

// Revoked while it is connected, a subscriber is cut off, for good.
func TestSubscriberIsRevoked(t *testing.T) {
	s := subscribe(t)
	info, err := os.Stat(s.credentials)
	require.NoError(t, err)
	assert.EqualValues(t, 0o600, info.Mode().Perm())
	secret, err := os.ReadFile(s.credentials)
	require.NoError(t, err)
	key, err := nkeys.ParseDecoratedNKey(secret)
	require.NoError(t, err)
	seed, err := key.Seed()
	require.NoError(t, err)

	gone := make(chan struct{})
	nc, err := nats.Connect(s.address, nats.UserCredentials(s.credentials), nats.ClosedHandler(func(*nats.Conn) { close(gone) }), nats.NoReconnect())
	require.NoError(t, err)
	defer nc.Close()
	s.must(t, "subscriber", "revoke", "erp")
	<-gone
	_, err = nats.Connect(s.address, nats.UserCredentials(s.credentials))
	require.ErrorIs(t, err, nats.ErrAuthorization)
	require.Eventually(t, func() bool { return s.lag(t).Pending == 0 }, 20*time.Second, 20*time.Millisecond, "its consumer is deleted")
	assert.Equal(t, subscribers.Revoked, s.lag(t).State)

	// Its name is not to be had again, and no file is left of the attempt.
	out := filepath.Join(t.TempDir(), "again.creds")
	_, stderr, code := s.runWith(t, nil, "subscriber", "add", "erp", "--all", "--out", out)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, stderr, "choose another name")
	assert.NoFileExists(t, out)
	s.stop(t, syscall.SIGTERM)
	_, err = os.Stat(s.dir)
	require.NoError(t, err)
	assert.NotContains(t, bytesBelow(t, s.dir), string(seed), "the private half is in the credentials file and nowhere else")
}

// bytesBelow is all that is below a directory.
func bytesBelow(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	require.NoError(t, filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		all.Write(b)
		return err
	}))
	return all.String()
}

// plain is a session in the plain protocol of NATS, line by line, as the README
// has it: > is sent, < is received, and ... stands for what differs each time.
const plain = `
< INFO {...,"nonce":"...",...}
> CONNECT {"verbose":false,"pedantic":false,"nkey":"$KEY","sig":"$SIGNATURE"}
> SUB _INBOX_erp.* 1
> PUB $JS.API.CONSUMER.MSG.NEXT.milepost-main.erp _INBOX_erp.next 11
> {"batch":2}
< MSG milepost.main.pact.agreement.pact 1 $JS.ACK.milepost-main.erp.1.3.1....13 ...
< {"specversion":"1.0",...,"type":"milepost.agreement.drafted.v1",...}
> PUB $JS.ACK.milepost-main.erp.1.3.1....13 4
> +ACK
< MSG milepost.main.pact.agreement.pact 1 $JS.ACK.milepost-main.erp.1.4.2....12 ...
< {"specversion":"1.0",...,"type":"milepost.agreement.area-added.v1",...}
`

func TestSubscriberInThePlainProtocol(t *testing.T) {
	s := subscribe(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.address, "nats://"))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
	in := bufio.NewReader(conn)
	secret, err := os.ReadFile(s.credentials)
	require.NoError(t, err)
	key, err := nkeys.ParseDecoratedNKey(secret)
	require.NoError(t, err)
	public, err := key.PublicKey()
	require.NoError(t, err)

	vars := map[string]string{"$KEY": public}
	var reply string // subject to acknowledge the last event on
	for line := range strings.SplitSeq(strings.TrimSpace(plain), "\n") {
		direction, text, _ := strings.Cut(line, " ")
		for name, value := range vars {
			text = strings.ReplaceAll(text, name, value)
		}
		if direction == ">" {
			if subject, ok := strings.CutPrefix(text, "PUB $JS.ACK."); ok { // the reply subject of what was heard
				require.Contains(t, subject, " 4")
				text = "PUB " + reply + " 4"
			}
			_, err := io.WriteString(conn, text+"\r\n")
			require.NoError(t, err)
			continue
		}
		heard, err := in.ReadString('\n')
		require.NoError(t, err)
		assert.Regexp(t, "^"+strings.ReplaceAll(regexp.QuoteMeta(text), `\.\.\.`, ".*"), heard)
		if offer, ok := strings.CutPrefix(heard, "INFO "); ok {
			var info struct{ Nonce string }
			require.NoError(t, json.Unmarshal([]byte(offer), &info))
			sig, err := key.Sign([]byte(info.Nonce))
			require.NoError(t, err)
			vars["$SIGNATURE"] = base64.RawURLEncoding.EncodeToString(sig)
		}
		if strings.HasPrefix(heard, "MSG ") {
			reply = strings.Fields(heard)[3]
		}
	}
}

// With the written credentials another process does nothing but read its events.
func TestSubscriberIsRefusedAllElse(t *testing.T) {
	s := subscribe(t)
	s.must(t, "subscriber", "add", "bi", "--all", "--out", filepath.Join(t.TempDir(), "bi.creds"))
	before := s.status(t)
	errs := make(chan error, 1)
	nc, err := nats.Connect(s.address, nats.UserCredentials(s.credentials), nats.CustomInboxPrefix("_INBOX_erp"), nats.NoReconnect(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { errs <- err }))
	require.NoError(t, err)
	defer nc.Close()
	refused := func(what string) {
		t.Helper()
		select {
		case err := <-errs:
			assert.ErrorIs(t, err, nats.ErrPermissionViolation, what)
			assert.Contains(t, strings.ToLower(err.Error()), strings.ToLower(strconv.Quote(what)))
		case <-time.After(20 * time.Second):
			assert.Fail(t, "was not refused", what)
		}
	}
	const stream = "milepost-main"
	for _, subject := range []string{
		"milepost.main.pact.project.base", "milepost.main.other.project.base",
		"$JS.API.CONSUMER.CREATE." + stream + ".mine", "$JS.API.CONSUMER.DURABLE.CREATE." + stream + ".erp", "$JS.API.CONSUMER.DELETE." + stream + ".erp",
		"$JS.API.CONSUMER.LIST." + stream, "$JS.API.CONSUMER.NAMES." + stream, "$JS.API.CONSUMER.PAUSE." + stream + ".erp",
		"$JS.API.STREAM.CREATE.mine", "$JS.API.STREAM.UPDATE." + stream, "$JS.API.STREAM.DELETE." + stream, "$JS.API.STREAM.PURGE." + stream,
		"$JS.API.STREAM.LIST", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO." + stream, "$JS.API.INFO",
		"$JS.API.STREAM.MSG.GET." + stream, "$JS.API.DIRECT.GET." + stream,
		"$JS.API.CONSUMER.MSG.NEXT." + stream + ".bi", "$JS.API.CONSUMER.INFO." + stream + ".bi", "$JS.ACK." + stream + ".bi.1.1.1.1.0",
		"_INBOX_bi.x", "$SYS.REQ.SERVER.PING", "$SYS.REQ.USER.INFO",
	} {
		require.NoError(t, nc.PublishRequest(subject, "_INBOX_erp.x", nil))
		refused(subject)
	}
	for _, subject := range []string{">", "milepost.main.pact.>", "_INBOX_bi.>", "_INBOX.>", "$SYS.>", "$JS.EVENT.>"} {
		_, err := nc.SubscribeSync(subject)
		require.NoError(t, err)
		refused(subject)
	}
	// and what it may ask it does not have answered into the log, or into the API
	for _, into := range []string{"milepost.main.pact.project.forged", "$JS.API.STREAM.DELETE." + stream} {
		require.NoError(t, nc.PublishRequest("$JS.API.CONSUMER.INFO."+stream+".erp", into, nil))
		require.NoError(t, nc.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+stream+".erp", into, []byte(`{"batch":1,"no_wait":true}`)))
	}
	js, err := jetstream.New(nc)
	require.NoError(t, err)
	_, err = js.Consumer(t.Context(), stream, "erp") // later than the others, on the same way
	require.NoError(t, err)
	assert.Equal(t, before, s.status(t))
	s.stop(t, syscall.SIGTERM)
}
