package access

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ledger"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// rig is a log with a ledger that writes to it, and a directory that follows it.
type rig struct {
	t         *testing.T
	store     *eventstore.Store
	ledger    *ledger.Ledger
	directory *Directory
	today     atomic.Int64 // days after 1 March 2019
}

func start(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	store, err := eventstore.Open(t.Context(), eventstore.Config{Dir: t.TempDir(), Ledger: "test"})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, store.Close()) })
	r := &rig{t: t, store: store}
	r.ledger = ledger.New(store, ledger.Options{Name: "test", Location: shanghai(t), Now: r.now})
	r.directory = r.open(change...)
	return r
}

func shanghai(t *testing.T) *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	return zone
}

func (r *rig) now() time.Time {
	return time.Date(2019, 3, 1, 12, 0, 0, 0, shanghai(r.t)).AddDate(0, 0, int(r.today.Load()))
}

// open opens another directory of the same log.
func (r *rig) open(change ...func(*Options)) *Directory {
	r.t.Helper()
	opts := Options{Now: r.now, Location: shanghai(r.t)}
	for _, c := range change {
		c(&opts)
	}
	d, err := Open(r.t.Context(), r.store, "test", opts)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { assert.NoError(r.t, d.Close()) })
	return d
}

// done carries out a command, and waits until the directory knows.
func (r *rig) done(name, body string) {
	r.t.Helper()
	req, err := ledger.Decode(name, []byte(body))
	require.NoError(r.t, err)
	receipt, err := r.ledger.Execute(r.t.Context(), req)
	require.NoError(r.t, err)
	require.NoError(r.t, r.directory.Wait(r.t.Context(), receipt.Seq))
}

// token gives a principal a token that expires on a day.
func (r *rig) token(principal, key, expires string) string {
	r.t.Helper()
	token, hash := NewToken(domain.Key(key))
	r.done("issue-token", fmt.Sprintf(`{"principal":%q,"token":%q,"hash":%q,"expires":%q}`, principal, key, hash, expires))
	return token
}

func TestTokens(t *testing.T) {
	// given two principals with tokens, of which two have the same key
	r := start(t)
	r.done("grant-access", `{"principal":"ann","role":"viewer"}`)
	r.done("grant-access", `{"principal":"bob","role":"viewer"}`)
	laptop := r.token("ann", "laptop", "2019-03-10")
	second := r.token("ann", "second", "2019-03-20")
	bobs := r.token("bob", "laptop", "2019-03-20")
	known := func(token string) string {
		p, err := r.directory.Token(token)
		if err != nil {
			require.ErrorIs(t, err, ErrUnknown)
			return ""
		}
		return string(p.Key)
	}

	// then each is who it was given to, and nothing else is anybody
	assert.Equal(t, "ann", known(laptop))
	assert.Equal(t, "ann", known(second))
	assert.Equal(t, "bob", known(bobs))
	other, _ := NewToken("laptop")
	_, secret, _ := strings.Cut(strings.TrimPrefix(laptop, "mp_"), "_")
	for name, token := range map[string]string{
		"none": "", "another secret": other, "another key": "mp_second_" + secret, "no key": "mp__" + secret, "no prefix": secret,
		"longer": laptop + "A", "shorter": laptop[:len(laptop)-1], "padded": laptop + "=",
		"the hash": "mp_laptop_" + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("\x00", 32))),
	} {
		assert.Empty(t, known(token), name)
	}

	// and it is good through its last day, in the ledger's time zone, and no longer
	r.today.Store(9)
	assert.Equal(t, "ann", known(laptop))
	r.today.Store(10)
	assert.Empty(t, known(laptop))
	assert.Equal(t, "ann", known(second))

	// and when it is revoked it is not, nor is anything of who lost all access
	p, err := r.directory.Token(second)
	require.NoError(t, err)
	r.done("revoke-token", `{"principal":"ann","token":"second"}`)
	assert.Empty(t, known(second))
	_, err = p.Renewed()
	require.ErrorIs(t, err, ErrUnknown)
	r.done("revoke-access", `{"principal":"bob"}`)
	assert.Empty(t, known(bobs))
}

func TestParseToken(t *testing.T) {
	token, hash := NewToken("laptop")
	key, parsed, err := ParseToken(token)
	require.NoError(t, err)
	assert.Equal(t, domain.Key("laptop"), key)
	assert.Equal(t, hash, parsed)
	assert.Len(t, token, len("mp_laptop_")+43)
	_, _, err = ParseToken("mp_laptop_short")
	require.ErrorIs(t, err, ErrToken)
}

// The administrator is whoever has the token of the data directory, whatever the
// log says.
func TestAdministrator(t *testing.T) {
	token, hash := NewToken("admin")
	r := start(t, func(o *Options) { o.AdminToken = hash })
	p, err := r.directory.Token(token)
	require.NoError(t, err)
	assert.Equal(t, Administrator, p.Key)
	assert.True(t, p.View().Whole())

	_, err = start(t).directory.Token(token)
	require.ErrorIs(t, err, ErrUnknown, "another server has another administrator")

	req, err := ledger.Decode("grant-access", []byte(`{"principal":"administrator","role":"viewer"}`))
	require.NoError(t, err)
	_, err = r.ledger.Execute(t.Context(), req)
	rejected := (*domain.Rejected)(nil)
	require.ErrorAs(t, err, &rejected)
	assert.Equal(t, "reserved-key", rejected.Code)
}

func TestIdentities(t *testing.T) {
	r := start(t)
	r.done("grant-access", `{"principal":"ann","role":"viewer"}`)
	r.done("grant-access", `{"principal":"bob","role":"viewer"}`)
	link := func(principal, key, subject string) {
		r.done("link-identity", fmt.Sprintf(`{"principal":%q,"identity":%q,"issuer":"https://id.example.org","subject":%q}`, principal, key, subject))
	}
	link("ann", "i1", "1")
	p, err := r.directory.Identity("https://id.example.org", "1")
	require.NoError(t, err)
	assert.Equal(t, domain.Key("ann"), p.Key)
	for _, id := range [][2]string{{"https://id.example.org", "2"}, {"https://other.example.org", "1"}, {"", ""}} {
		_, err := r.directory.Identity(id[0], id[1])
		require.ErrorIs(t, err, ErrUnknown)
	}

	// when two are linked to it, it is neither's
	link("bob", "i1", "1")
	_, err = r.directory.Identity("https://id.example.org", "1")
	require.ErrorIs(t, err, ErrUnknown)
	_, err = p.Renewed()
	require.ErrorIs(t, err, ErrUnknown)

	// when one is unlinked, it is the other's
	r.done("unlink-identity", `{"principal":"ann","identity":"i1"}`)
	p, err = r.directory.Identity("https://id.example.org", "1")
	require.NoError(t, err)
	assert.Equal(t, domain.Key("bob"), p.Key)
}

func TestViews(t *testing.T) {
	r := start(t)
	r.agreement("wuxi", "iot", "base")
	r.agreement("other", "chips", "fab")
	r.done("restrict-access", `{"agreement":"wuxi","project":"base"}`)
	r.done("restrict-access", `{"agreement":"wuxi","area":"iot"}`)
	r.done("restrict-access", `{"agreement":"other","project":"fab"}`)
	base := projections.Restriction{Agreement: "wuxi", Project: "base"}
	iot := projections.Restriction{Agreement: "wuxi", Area: "iot"}
	fab := projections.Restriction{Agreement: "other", Project: "fab"}
	in := func(agreements ...domain.Key) []domain.Key { return agreements }
	for name, c := range map[string]struct {
		grants []string
		want   projections.View
	}{
		"of one agreement":        {[]string{`"role":"viewer","agreement":"wuxi"`}, projections.View{Agreements: in("wuxi"), Restricted: restricted(base, iot)}},
		"of two":                  {[]string{`"role":"viewer","agreement":"wuxi"`, `"role":"coordinator","agreement":"other"`}, projections.View{Agreements: in("other", "wuxi"), Restricted: restricted(base, iot, fab)}},
		"of the ledger":           {[]string{`"role":"coordinator"`}, projections.View{Restricted: restricted(base, iot, fab)}},
		"cleared for a project":   {[]string{`"role":"viewer","agreement":"wuxi","cleared":["project/base"]`}, projections.View{Agreements: in("wuxi"), Restricted: restricted(iot)}},
		"cleared for an area":     {[]string{`"role":"viewer","agreement":"wuxi","cleared":["area/iot"]`}, projections.View{Agreements: in("wuxi"), Restricted: restricted(base)}},
		"cleared by another role": {[]string{`"role":"viewer"`, `"role":"viewer","agreement":"wuxi","cleared":["area/iot","project/base","project/fab"]`}, projections.View{Restricted: restricted(fab)}},
		"an agreement's auditor":  {[]string{`"role":"auditor","agreement":"wuxi"`}, projections.View{Agreements: in("wuxi")}},
		"an agreement's admin":    {[]string{`"role":"admin","agreement":"wuxi"`, `"role":"viewer"`}, projections.View{Restricted: restricted(fab)}},
		"an auditor":              {[]string{`"role":"auditor"`}, projections.View{Internal: true}},
		"an admin":                {[]string{`"role":"admin"`, `"role":"viewer","agreement":"wuxi"`}, projections.View{Internal: true}},
		"of one not there yet":    {[]string{`"role":"viewer","agreement":"later"`}, projections.View{Agreements: in("later")}},
	} {
		key := domain.Key(strings.NewReplacer(" ", "-", "'", "").Replace(name))
		for _, g := range c.grants {
			r.done("grant-access", fmt.Sprintf(`{"principal":%q,%s}`, key, g))
		}
		p, ok := r.directory.Principal(key)
		require.True(t, ok)
		assert.Equal(t, c.want.Name(), p.View().Name(), "%s: %+v", name, p.View())
	}

	// and programs see as they are cleared
	assert.Equal(t, projections.View{Agreements: in("wuxi"), Restricted: restricted(base, iot)}, r.directory.ViewOf("wuxi", false))
	assert.Equal(t, projections.View{}, r.directory.ViewOf("", true))

	// and who has lost every role sees nothing
	p, _ := r.directory.Principal("of-the-ledger")
	r.done("revoke-access", `{"principal":"of-the-ledger"}`)
	p, err := p.Renewed()
	require.NoError(t, err)
	assert.Equal(t, projections.View{Agreements: []domain.Key{}}, p.View())
	assert.False(t, p.Begin(reads))

	// and what is lifted is withheld from nobody
	r.done("lift-restriction", `{"agreement":"wuxi","area":"iot"}`)
	assert.Equal(t, restricted(base), r.directory.Restricted("wuxi"))
}

func restricted(list ...projections.Restriction) []projections.Restriction { return list }

// agreement drafts one with an area and a project.
func (r *rig) agreement(key, area, project string) {
	r.t.Helper()
	if r.directory.position() == 0 {
		r.done("register-party", `{"party":"a","title":"A","kind":"other"}`)
		r.done("register-party", `{"party":"b","title":"B","kind":"other"}`)
	}
	r.done("draft-agreement", fmt.Sprintf(`{"agreement":%q,"kind":"framework","title":"T","parties":["a","b"]}`, key))
	r.done("add-area", fmt.Sprintf(`{"agreement":%q,"area":%q,"title":"T"}`, key, area))
	r.done("propose-project", fmt.Sprintf(`{"agreement":%q,"project":%q,"title":"T","kind":"incubation","areas":[%q]}`, key, project, area))
}

// A directory that is opened later knows what one knows that was there all along.
func TestOpenedLaterAndFollowed(t *testing.T) {
	r := start(t)
	r.agreement("wuxi", "iot", "base")
	changed := r.directory.Changed()
	r.done("add-subscriber", `{"subscriber":"warehouse","agreement":"wuxi","public_key":"U`+strings.Repeat("A", 55)+`"}`)
	<-changed
	r.done("register-webhook", `{"webhook":"hook","url":"https://example.org/hook"}`)
	r.done("disable-webhook", `{"webhook":"hook","reason":"it is full"}`)
	r.done("restrict-access", `{"agreement":"wuxi","area":"iot"}`)

	later := r.open()
	for _, d := range []*Directory{r.directory, later} {
		require.Len(t, d.Subscribers(), 1)
		assert.Equal(t, domain.Key("wuxi"), d.Subscribers()[0].Agreement)
		require.Len(t, d.Webhooks(), 1)
		assert.Equal(t, "disabled", d.Webhooks()[0].State.State)
		assert.EqualValues(t, 2, d.Webhooks()[0].Version)
	}
	assert.Equal(t, r.directory.Webhooks(), later.Webhooks())
	assert.Equal(t, r.directory.Restricted(""), later.Restricted(""))
}

// deaf is a log that can be made to fail.
type deaf struct {
	*eventstore.Store
	fails atomic.Bool
	cut   chan struct{} // ends what is followed
}

func (d *deaf) Read(ctx context.Context, from, to uint64, filter string) iter.Seq2[eventstore.Record, error] {
	if d.fails.Load() {
		return func(yield func(eventstore.Record, error) bool) {
			yield(eventstore.Record{}, errors.New("gone"))
		}
	}
	return d.Store.Read(ctx, from, to, filter)
}

func (d *deaf) Subscribe(ctx context.Context, from uint64, filter string) iter.Seq2[eventstore.Record, error] {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-d.cut:
		case <-ctx.Done():
		}
		cancel()
	}()
	return d.Store.Subscribe(ctx, from, filter)
}

// While the log is not followed nobody is known, and everybody is again when it
// is.
func TestFailsClosed(t *testing.T) {
	// given somebody, and a directory that loses the log
	r := start(t)
	r.done("grant-access", `{"principal":"ann","role":"admin"}`)
	token := r.token("ann", "laptop", "2019-03-10")
	log := &deaf{Store: r.store, cut: make(chan struct{})}
	_, admin := NewToken("admin")
	d, err := Open(t.Context(), log, "test", Options{Now: r.now, AdminToken: admin})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, d.Close()) })
	p, err := d.Token(token)
	require.NoError(t, err)
	log.fails.Store(true)
	lost := d.Changed()
	close(log.cut)
	<-lost

	// then nobody is known
	_, err = d.Token(token)
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = p.Renewed()
	require.ErrorIs(t, err, ErrUnavailable)
	_, err = d.Identity("https://id.example.org", "1")
	require.ErrorIs(t, err, ErrUnavailable)
	_, ok := d.Principal(Administrator)
	assert.False(t, ok)
	require.ErrorIs(t, d.Wait(t.Context(), 1), ErrUnavailable)

	// and when it can be read again, what was missed counts
	r.done("revoke-token", `{"principal":"ann","token":"laptop"}`)
	log.cut = make(chan struct{})
	log.fails.Store(false)
	for d.Err() != nil {
		back := d.Changed()
		if d.Err() == nil {
			break
		}
		<-back
	}
	_, err = d.Token(token)
	require.ErrorIs(t, err, ErrUnknown)

	// and one that cannot be heard at all lets nobody in either
	silent := r.open(func(o *Options) { o.Connected = func() bool { return false } })
	_, err = silent.Token(token)
	require.ErrorIs(t, err, ErrUnavailable)
}

// An event of a later version may take a right away: it is not passed over.
func TestUnknownEventStopsIt(t *testing.T) {
	r := start(t)
	lost := r.directory.Changed()
	env := domain.Envelope{
		ID: "018f0000-0000-7000-8000-000000000000", Source: "/ledgers/test", Ref: domain.Ref{Kind: "access", Key: "ann"},
		Type: "milepost.access.suspended.v9", Time: time.Now(), Version: 1, Data: []byte("{}"),
	}
	_, err := r.store.Append(t.Context(), []eventstore.Message{{Subject: eventstore.Subject("test", eventstore.LedgerWide, "access", "ann"), Data: env.Append(nil)}})
	require.NoError(t, err)
	<-lost
	require.ErrorIs(t, r.directory.Err(), ErrUnavailable)
	_, err = Open(t.Context(), r.store, "test", Options{})
	require.ErrorContains(t, err, "not known to this version")
}

// Waiting asks the log once for what many wait for, and not at all for what was
// asked.
func TestWaitCountsEverythingUpTo(t *testing.T) {
	r := start(t)
	r.agreement("wuxi", "iot", "base")
	r.done("revise-draft", `{"agreement":"wuxi","document":"`+strings.Repeat("a", 64)+`"}`)
	req, err := ledger.Decode("open-consultation", []byte(`{"agreement":"wuxi"}`))
	require.NoError(t, err)
	receipt, err := r.ledger.Execute(t.Context(), req)
	require.NoError(t, err)
	last := receipt.Seq
	assert.False(t, r.directory.covers(last))
	require.NoError(t, r.directory.Wait(t.Context(), last))
	assert.True(t, r.directory.covers(last))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.directory.Wait(gone, last))
	require.Error(t, r.directory.Wait(gone, last+1))
}
