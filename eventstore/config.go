package eventstore

import (
	"log/slog"
	"time"
)

// Config says where a ledger's log is and how to treat it.
type Config struct {
	// Dir is the data directory. The lock file is Dir/lock; the embedded
	// server keeps its files below Dir/jetstream; evidence that comes in is
	// held in a file in Dir until it is whole. With an external server it may
	// be empty: then nothing is locked, and evidence is held in the system's
	// temporary directory.
	Dir string
	// Ledger names the ledger: a-z, 0-9 and -, at most 64. Its stream is
	// milepost-<ledger>.
	Ledger string
	// URL of the external server, or of several, comma separated. Empty runs
	// an embedded server in this process.
	URL string
	// Listen is where the embedded server takes subscribers in, as host:port,
	// once Admit was called. Empty: it listens nowhere.
	Listen string
	// ListenCert and ListenKey are PEM files for TLS on Listen. Beyond loopback
	// they are needed.
	ListenCert, ListenKey string
	// Creds is a credentials file for the external server.
	Creds string
	// Replicas wanted of an external cluster. Zero asks for three when the
	// server is in a cluster, for which it waits while servers are missing,
	// and for one when it is not. It matters when the stream is created; a
	// stream that has fewer than a Replicas given here is refused.
	Replicas int
	// Timezone is the time zone of the ledger's civil dates, an IANA name such
	// as Asia/Shanghai. It is recorded with the log when that is created (UTC
	// when empty) and never changes: answers about a day depend on it. A later
	// Open leaves it empty or repeats it.
	Timezone string
	// Key is the ledger's public signing key, recorded with the log when that is
	// created and never changed: [Store.Key] tells it. Whoever signs for the
	// ledger must show how he comes from it.
	Key string
	// NewKey makes Key, where that is empty, for a log that is about to be created:
	// nothing is left of an Open that creates none. It may be called again.
	NewKey func() (string, error)
	// Existing refuses with a *NoLedgerError what is not there, instead of creating it.
	Existing bool
	// Follow opens a copy that MakeMirror made, on an external server. It can
	// only be read: whatever would write fails with a *CopyError.
	Follow bool
	// MaxStore bounds what the embedded server may store, in bytes. Zero is as
	// much as the disk has room for, see [durable.Room].
	MaxStore int64
	// ContentType, if set, is the Content-Type header of every message, for
	// those who read the stream without this package.
	ContentType string
	// MaxPending bounds the appends that wait for the committer; beyond it
	// Append fails with ErrOverloaded. Zero means 4096.
	MaxPending int
	// Logger gets warnings, among them the server's own. Nil discards them.
	Logger *slog.Logger
	// Now is the clock of whoever writes, time.Now when nil. The store only
	// compares it with the server's, see Info.Skew.
	Now func() time.Time
	// Observe, if set, is called once for every commit, from the committer:
	// it must return at once.
	Observe func(AppendStats)

	restored bool   // by Restore: the embedded server syncs such a log as a whole
	mark     string // the id of that Restore, on an external server: see restoreKey
}
