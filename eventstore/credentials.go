package eventstore

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"
)

// Inbox is the prefix of the subjects that the reader of a consumer gets its
// answers on. It must be told to its NATS client.
func Inbox(consumer string) string { return "_INBOX_" + consumer }

// Permissions are all that the reader of a consumer needs: to ask for the next
// records and how far it is, to acknowledge, and to hear the answers.
func Permissions(stream, consumer string) (publish, subscribe []string) {
	of := stream + "." + consumer
	return []string{
		"$JS.API.CONSUMER.MSG.NEXT." + of,
		"$JS.API.CONSUMER.INFO." + of,
		"$JS.ACK." + of + ".>",
		"$JS.ACK.*.*." + of + ".>",
	}, []string{Inbox(consumer) + ".>"}
}

// UserKey is a NATS user key: Public is told to the ledger, Seed to nobody.
type UserKey struct {
	Public string
	Seed   []byte
}

// NewUserKey makes a key.
func NewUserKey() (UserKey, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return UserKey{}, fmt.Errorf("eventstore: user key: %w", err)
	}
	public, err := pair.PublicKey()
	if err != nil {
		return UserKey{}, fmt.Errorf("eventstore: user key: %w", err)
	}
	seed, err := pair.Seed()
	if err != nil {
		return UserKey{}, fmt.Errorf("eventstore: user key: %w", err)
	}
	return UserKey{public, seed}, nil
}

// Credentials are the text of a NATS credentials file; without a JWT that of one
// with a seed, for clients that show their key.
func (k UserKey) Credentials(userJWT string) ([]byte, error) {
	if userJWT == "" {
		return append(slices.Clone(k.Seed), '\n'), nil
	}
	return jwt.FormatUserConfig(userJWT, k.Seed)
}

// UserJWT describes the reader of a consumer as NATS clients expect it in a
// credentials file. The embedded server goes by the key, not by what this says,
// so it is signed with a key that is thrown away. It has no secret in it.
func (s *Store) UserJWT(consumer, publicKey string) (string, error) {
	signer, err := nkeys.CreateAccount()
	if err != nil {
		return "", fmt.Errorf("eventstore: user JWT: %w", err)
	}
	defer signer.Wipe()
	claims := jwt.NewUserClaims(publicKey)
	if claims == nil {
		return "", fmt.Errorf("eventstore: user JWT: %q has no key", consumer)
	}
	claims.Name = consumer
	claims.IssuedAt = time.Now().Unix()
	publish, subscribe := Permissions(s.stream, consumer)
	claims.Pub.Allow.Add(publish...)
	claims.Sub.Allow.Add(subscribe...)
	claims.Limits.Subs = maxSubscriptions
	claims.AllowedConnectionTypes.Add(jwt.ConnectionTypeStandard)
	text, err := claims.Encode(signer)
	if err != nil {
		return "", fmt.Errorf("eventstore: user JWT: %w", err)
	}
	return text, nil
}

// ExternalAPI is the prefix of JetStream's API for subscribers of an external
// server, which their NATS client must be told.
const ExternalAPI = "MILEPOST.API"

// Embedded says whether the server is in this process, so that who is let in is
// decided here. An external one is told by its operator: see [Store.Configuration].
func (s *Store) Embedded() bool { return s.srv.Load() != nil }

// Configuration is what the operator of an external server adds to its
// configuration for the reader of a consumer: what the embedded server does by
// itself, an account with nothing in it but the way to the consumer. LEDGER
// stands for the account that the log is in. The reader asks by the API prefix
// ExternalAPI: in each account of its configuration the server itself answers to
// the usual one, and says that there is no JetStream. A server that reads it again
// while it runs (nats-server --signal reload) does not import what is exported at the
// same time, so it is started again.
func (s *Store) Configuration(consumer, publicKey string) string {
	publish, subscribe := Permissions(s.stream, consumer)
	local := make([]string, len(publish))
	for i, subject := range publish {
		local[i] = strings.Replace(subject, "$JS.API.", ExternalAPI+".", 1)
	}
	account := accountOf(consumer)
	var b strings.Builder
	b.WriteString("# Start the server again with it, one after the other in a cluster: after a reload alone the subscriber is told that\n" +
		"# there are no responders. In the account of the ledger, here LEDGER, in one list with what it exports already:\nexports: [\n")
	for _, subject := range publish {
		fmt.Fprintf(&b, "  { service: %q, response_type: stream, accounts: [%q] }\n", subject, account)
	}
	b.WriteString("]\n# Beside it, an account for this subscriber alone. A user of the ledger's own account is not safe, whatever its\n" +
		"# permissions: the server sends answers, and no permission says where to, also into the log.\n")
	fmt.Fprintf(&b, "%q: {\n  users: [ { nkey: %s, permissions: { publish: %s, subscribe: %s } } ]\n  imports: [\n",
		account, publicKey, list(local), list(subscribe))
	for i, subject := range publish {
		fmt.Fprintf(&b, "    { service: { account: LEDGER, subject: %q }, to: %q }\n", subject, local[i])
	}
	b.WriteString("  ]\n}\n")
	return b.String()
}

// list writes strings as the server's configuration has them.
func list(subjects []string) string {
	quoted := make([]string, len(subjects))
	for i, s := range subjects {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
