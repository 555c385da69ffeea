package domain_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/domaintest"
)

// published is the key of the note package's own example.
const published = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

func TestVerifierKeysHaveOneSpelling(t *testing.T) {
	key := domaintest.KeyNumber("witness.example", 1).VerifierKey
	for _, good := range []domain.VerifierKey{published, key, domaintest.KeyNumber("物联网", 1).VerifierKey} {
		assert.True(t, good.Valid(), good)
		assert.NoError(t, good.Check("key"))
		_, err := note.NewVerifier(string(good))
		assert.NoError(t, err)
	}
	assert.Equal(t, [2]string{"PeterNeumann", "c74f20a3"}, [2]string{domain.VerifierKey(published).Name(), domain.VerifierKey(published).ID()})

	name, rest, _ := strings.Cut(published, "+")
	for what, bad := range map[string]string{
		"nothing":             "",
		"no name":             "+" + rest,
		"a space in the name": "Peter Neumann+" + rest,
		"another name":        "PaulNeumann+" + rest,
		"another id":          strings.Replace(published, "c74f", "c74e", 1),
		"the id in capitals":  strings.Replace(published, "c74f20a3", "C74F20A3", 1),
		"another algorithm":   strings.Replace(published, "+AR", "+BR", 1),
		"a key cut short":     published[:len(published)-4],
		"a line break":        name + "+" + rest[:20] + "\n" + rest[20:],
		"another at its end":  published + "\n",
		"a name without end":  string(domaintest.KeyNumber(strings.Repeat("n", 201), 1).VerifierKey),
	} {
		assert.False(t, domain.VerifierKey(bad).Valid(), what)
		refusedBy(t, domain.VerifierKey(bad).Check("key"), domain.CodeInvalidKey, "key", what)
		var k domain.VerifierKey
		if err := json.Unmarshal(domain.EncodeValue(bad), &k); bad != "" {
			assert.Error(t, err, what)
		}
		assert.Empty(t, k, what)
	}
	var k domain.VerifierKey
	require.NoError(t, json.Unmarshal(domain.EncodeValue(key), &k))
	assert.Equal(t, key, k)
	assert.Error(t, json.Unmarshal([]byte("7"), &k))
}

// A private key that was taken for the other half is not told to anyone.
func TestNoMessageRepeatsAPrivateKey(t *testing.T) {
	private, _, err := note.GenerateKey(strings.NewReader(strings.Repeat("s", 32)), "w")
	require.NoError(t, err)
	secret := private[strings.LastIndexByte(private, '+')+1:]
	_, _, err = decode(t, "register-witness", `{"party":"wuxi","key":"`+private+`"}`)
	message := refusedBy(t, err, domain.CodeInvalidValue, "key", "decoded").Message
	assert.Contains(t, message, "private")
	assert.NotContains(t, message, secret)
	message = refusedBy(t, domain.VerifierKey(private).Check("key"), domain.CodeInvalidKey, "key", "checked").Message
	assert.NotContains(t, message, secret)
}

func refusedBy(t *testing.T, err error, code, field, what string) *domain.Rejected {
	t.Helper()
	var r *domain.Rejected
	require.True(t, errors.As(err, &r), "%s: %v", what, err)
	assert.Equal(t, [2]string{code, field}, [2]string{r.Code, r.Field}, what)
	return r
}

func TestRotation(t *testing.T) {
	one, two, three := domaintest.KeyNumber("w", 1), domaintest.KeyNumber("w", 2), domaintest.KeyNumber("w", 3)
	text := domain.RotationText(one.VerifierKey, two.VerifierKey)
	assert.Equal(t, "milepost/key-rotation/v1\n"+string(one.VerifierKey)+"\n"+string(two.VerifierKey)+"\n", text)
	good := string(one.HandOver(two))
	require.NoError(t, domain.VerifyRotation(one.VerifierKey, two.VerifierKey, good))

	// others may sign it as well
	require.NoError(t, domain.VerifyRotation(one.VerifierKey, two.VerifierKey, good+signatureOf(two.Sign(text))))

	for what, c := range map[string]struct {
		old, next   domain.VerifierKey
		statement   string
		code, field string
	}{
		"no key before":      {"w", two.VerifierKey, good, domain.CodeInvalidKey, "old"},
		"no key after":       {one.VerifierKey, "w", good, domain.CodeInvalidKey, "key"},
		"the same key":       {one.VerifierKey, one.VerifierKey, string(one.HandOver(one)), domain.CodeKeyUnchanged, "key"},
		"another name":       {one.VerifierKey, domaintest.KeyNumber("v", 2).VerifierKey, string(one.HandOver(domaintest.KeyNumber("v", 2))), domain.CodeKeyNameChanged, "key"},
		"no note":            {one.VerifierKey, two.VerifierKey, "yes", domain.CodeRotationNotSigned, "statement"},
		"no signature":       {one.VerifierKey, two.VerifierKey, text + "\n", domain.CodeRotationNotSigned, "statement"},
		"signed by the next": {one.VerifierKey, two.VerifierKey, string(two.Sign(text)), domain.CodeRotationNotSigned, "statement"},
		"a false signature":  {one.VerifierKey, two.VerifierKey, text + "\n" + signatureOf(one.Sign("other\n")), domain.CodeRotationNotSigned, "statement"},
		"of another next":    {one.VerifierKey, two.VerifierKey, string(one.HandOver(three)), domain.CodeRotationOfOtherKey, "statement"},
		"of another before":  {two.VerifierKey, three.VerifierKey, string(one.HandOver(three)), domain.CodeRotationOfOtherKey, "statement"},
		"the other way":      {one.VerifierKey, two.VerifierKey, string(one.Sign(domain.RotationText(two.VerifierKey, one.VerifierKey))), domain.CodeRotationOfOtherKey, "statement"},
		"of a checkpoint":    {one.VerifierKey, two.VerifierKey, string(one.Sign("ledger\n7\nAAAA\n")), domain.CodeRotationOfOtherKey, "statement"},
		"more text":          {one.VerifierKey, two.VerifierKey, string(one.Sign(text + "and all others\n")), domain.CodeRotationOfOtherKey, "statement"},
	} {
		refusedBy(t, domain.VerifyRotation(c.old, c.next, c.statement), c.code, c.field, what)
	}

	assert.NoError(t, one.NotAmong([]domain.VerifierKey{two.VerifierKey}))
	refusedBy(t, one.NotAmong([]domain.VerifierKey{two.VerifierKey, one.VerifierKey}), domain.CodeKeyUsedBefore, "key", "used before")
}

func signatureOf(n domain.SignedNote) string {
	_, signature, _ := strings.Cut(string(n), "\n\n")
	return signature
}

// $(cat FILE) leaves the last line break of a note out.
func TestASignedNoteEndsItsLastLine(t *testing.T) {
	signed := domaintest.KeyNumber("w", 1).Sign("text\n")
	for _, given := range []string{string(signed), strings.TrimSuffix(string(signed), "\n")} {
		var n domain.SignedNote
		require.NoError(t, json.Unmarshal(domain.EncodeValue(given), &n))
		assert.Equal(t, signed, n)
	}
	var n domain.SignedNote
	require.NoError(t, json.Unmarshal([]byte(`""`), &n))
	assert.Empty(t, n, "and nothing stays nothing")
	assert.Error(t, json.Unmarshal([]byte("7"), &n))
}
