package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// settledFlags is what serve makes of a command line, an environment and a file: every
// flag that has a value, as the flags' own text.
func settledFlags(t *testing.T, file string, env map[string]string, args ...string) (map[string]string, error) {
	t.Helper()
	a := &app{env: func(name string) string { return env[name] }}
	verb, _, err := newRoot(a).Find([]string{"serve"})
	require.NoError(t, err)
	if file != "" {
		at := filepath.Join(t.TempDir(), "milepost.conf")
		require.NoError(t, os.WriteFile(at, []byte(file), 0o600))
		args = append(args, "--config", at)
	}
	require.NoError(t, verb.ParseFlags(args))
	s := &settings{app: a, cmd: verb}
	s.file, err = verb.Flags().GetString("config")
	require.NoError(t, err)
	err = s.settle()
	values := map[string]string{}
	for name, f := range s.flags() {
		if f.Changed {
			values[name] = f.Value.String()
		}
	}
	return values, err
}

func TestSettings(t *testing.T) {
	t.Run("each way, and the one that wins", func(t *testing.T) {
		got, err := settledFlags(t, "# the city's\n\nlisten = :1\nledger=file\n scrub-rate = 5 \ndata = /var/lib/a = b\n",
			map[string]string{"MILEPOST_LISTEN": ":2", "MILEPOST_LEDGER": "environment", "MILEPOST_VERBOSE": "true"}, "--listen", ":3")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"listen": ":3", "ledger": "environment", "scrub-rate": "5", "data": "/var/lib/a = b", "verbose": "true"}, got)
	})
	t.Run("values of one that can be given again are those of one place", func(t *testing.T) {
		file := "webhook-allow = 10.1.0.0/16\nwebhook-allow = 10.2.0.0/16\n"
		got, err := settledFlags(t, file, nil)
		require.NoError(t, err)
		require.Equal(t, "[10.1.0.0/16,10.2.0.0/16]", got["webhook-allow"])
		got, err = settledFlags(t, file, map[string]string{"MILEPOST_WEBHOOK_ALLOW": "10.3.0.0/16, 10.4.0.0/16"})
		require.NoError(t, err)
		require.Equal(t, "[10.3.0.0/16,10.4.0.0/16]", got["webhook-allow"])
		got, err = settledFlags(t, file, map[string]string{"MILEPOST_WEBHOOK_ALLOW": "10.3.0.0/16"}, "--webhook-allow", "10.5.0.0/16")
		require.NoError(t, err)
		require.Equal(t, "[10.5.0.0/16]", got["webhook-allow"])
	})
	t.Run("the environment may name the file", func(t *testing.T) {
		at := filepath.Join(t.TempDir(), "a.conf")
		require.NoError(t, os.WriteFile(at, []byte("ledger = city"), 0o600))
		got, err := settledFlags(t, "", map[string]string{"MILEPOST_CONFIG": at})
		require.NoError(t, err)
		require.Equal(t, map[string]string{"ledger": "city"}, got)
	})
	for name, c := range map[string]struct{ file, want string }{
		"spelt wrong":        {"ledger = a\nlistn = :1\n", `milepost.conf:2: there is no setting "listn"; did you mean listen?`},
		"nothing like it":    {"colour = blue\n", `there is no setting "colour"; milepost serve --help lists them`},
		"a flag of the root": {"output = json\n", "there is no setting"},
		"a file in a file":   {"config = other\n", "there is no setting"},
		"a secret":           {"oidc-client-secret = hush\n", "did you mean oidc-client-secret-file?"},
		"no value":           {"listen =\n", "milepost.conf:1: listen has no value"},
		"quoted":             {"ledger = a\ndata = \"/var/lib/a\"\n", "milepost.conf:2: the value of data begins with a quote, which would be a part of it: leave the quotes out"},
		"quoted once":        {"data = '/var/lib/a'\n", "milepost.conf:1: the value of data begins with a quote"},
		"a comment behind":   {"data = /var/lib/a # the data\n", "milepost.conf:1: the value of data has a # at its beginning or behind a space: what is a comment goes on a line of its own, what is not is given on the command line or as MILEPOST_DATA"},
		"and behind a tab":   {"data = /var/lib/a\t#the data\n", "milepost.conf:1: the value of data has a # at its beginning or behind a space"},
		"only a comment":     {"data = # the data\n", "milepost.conf:1: the value of data has a # at its beginning or behind a space"},
		"a secret quoted":    {"nats = \"nats://a:hush@b\"\n", "milepost.conf:1: the value of nats begins with a quote"},
		"not a setting":      {"listen\n", "milepost.conf:1: want a line such as"},
		"given twice":        {"listen = :1\nlisten = :2\n", "milepost.conf:2: listen is given again"},
		"not a number":       {"scrub-rate = fast\n", `milepost.conf:1: scrub-rate: "fast" cannot be its value`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := settledFlags(t, c.file, nil)
			require.ErrorContains(t, err, c.want)
			require.ErrorAs(t, err, new(*usageError))
			require.NotContains(t, err.Error(), "hush")
		})
	}
	t.Run("an environment that makes no sense", func(t *testing.T) {
		_, err := settledFlags(t, "", map[string]string{"MILEPOST_SCRUB_RATE": "fast"})
		require.ErrorContains(t, err, `MILEPOST_SCRUB_RATE: "fast" cannot be its value`)
	})
	t.Run("a file that is not there", func(t *testing.T) {
		_, err := settledFlags(t, "", map[string]string{"MILEPOST_CONFIG": "nowhere.conf"})
		require.ErrorContains(t, err, "--config: open nowhere.conf")
	})
}

func TestMisspeltVariables(t *testing.T) {
	a := &app{env: func(string) string { return "" }}
	s := &settings{app: a, cmd: serveVerb(t, a)}
	require.Equal(t, []string{"MILEPOST_LISTN is no setting and has no effect; did you mean MILEPOST_LISTEN?", "MILEPOST_SERVR is no setting and has no effect; did you mean MILEPOST_SERVER?"},
		s.misspelt([]string{"MILEPOST_LISTN=hush", "MILEPOST_LISTEN=:1", "MILEPOST_TLS_CERT=a", "MILEPOST_TOKEN=hush", "MILEPOST_SERVR=a", "MILEPOST_SOMETHING_ELSE=1", "MILEPOSTER=1", "LISTN=1"}))
	// Those of the tests, and what subscribe gives to the programs that it runs, are spelt like none.
	require.Empty(t, s.misspelt([]string{
		"MILEPOST_FAULTS=short", "MILEPOST_BROWSER=1", "MILEPOST_CHROMIUM=a", "MILEPOST_AXE=a", "MILEPOST_SCREENSHOTS=a", "MILEPOST_CORPUS=a",
		"MILEPOST_SEQ=1", "MILEPOST_TYPE=a",
	}))
}

// Every flag of serve has a place in the environment that means nothing else.
func TestSettingsHaveNamesOfTheirOwn(t *testing.T) {
	a := &app{env: func(string) string { return "" }}
	root := newRoot(a)
	serve, _, err := root.Find([]string{"serve"})
	require.NoError(t, err)
	flags := (&settings{app: a, cmd: serve}).flags()
	require.Greater(t, len(flags), 20)
	require.Contains(t, flags, "data")
	for name := range flags {
		require.NotContains(t, []string{"MILEPOST_SERVER", "MILEPOST_TOKEN", "MILEPOST_ACTOR", "MILEPOST_CONFIG"}, variable(name))
		require.False(t, strings.HasSuffix(name, "secret") || strings.HasSuffix(name, "password") || strings.HasSuffix(name, "token"), "%s: a secret is named by its file", name)
	}
}
