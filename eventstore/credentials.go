package eventstore

import (
	"fmt"
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

// Credentials are the text of a NATS credentials file.
func (k UserKey) Credentials(userJWT string) ([]byte, error) {
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
