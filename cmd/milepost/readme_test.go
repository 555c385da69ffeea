package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What the README shows of subscribers is what their tests run: the program line
// by line, but for its checks of errors, and the session in the plain protocol.
func TestTheReadmeShowsWhatIsTested(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	source, err := os.ReadFile("subscriber_test.go")
	require.NoError(t, err)

	tested := strings.NewReplacer(
		"check(event.Ack())", "event.Ack()",
		"(address, nats.UserCredentials(credentials)", `("nats://127.0.0.1:4222", nats.UserCredentials("erp.creds")`,
	).Replace(string(source))
	_, rest, found := strings.Cut(string(readme), "```go\n")
	require.True(t, found)
	program, _, found := strings.Cut(rest, "```")
	require.True(t, found)
	lines := strings.Split(strings.TrimSpace(program), "\n")
	assert.LessOrEqual(t, len(lines), 10, "in ten lines")
	for _, line := range lines {
		code, _, _ := strings.Cut(line, " //")
		assert.Contains(t, tested, strings.TrimSpace(code))
	}

	session := strings.ReplaceAll(strings.TrimSpace(plain), "\n", "\n    ")
	assert.Contains(t, string(readme), "\n    "+session+"\n")
}
