package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLogging(t *testing.T) {
	for name, c := range map[string]struct {
		l    logging
		want string // of debug, info and warn
		form string
	}{
		"as it is":                  {logging{format: "auto", level: "warn"}, "warn", "json"},
		"as text":                   {logging{format: "text", level: "warn"}, "warn", "text"},
		"verbose":                   {logging{format: "json", level: "warn", verbose: true}, "info warn", "json"},
		"verbose hides nothing":     {logging{format: "json", level: "debug", verbose: true}, "debug info warn", "json"},
		"all that there is to tell": {logging{format: "text", level: "debug"}, "debug info warn", "text"},
		"errors alone":              {logging{format: "json", level: "error"}, "", "json"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			log, err := c.l.logger(&out)
			require.NoError(t, err)
			log.Debug("debug")
			log.Info("info")
			log.Warn("warn")
			var got []string
			for line := range strings.Lines(out.String()) {
				if c.form == "text" {
					_, msg, _ := strings.Cut(strings.TrimSpace(line), "msg=")
					got = append(got, msg)
					continue
				}
				var entry struct{ Msg string }
				require.NoError(t, json.Unmarshal([]byte(line), &entry))
				got = append(got, entry.Msg)
			}
			require.Equal(t, c.want, strings.Join(got, " "))
		})
	}
	for _, bad := range []logging{{format: "xml", level: "warn"}, {format: "json", level: "loud"}, {format: "json", level: "WARN"}} {
		_, err := bad.logger(&bytes.Buffer{})
		require.ErrorAs(t, err, new(*usageError))
	}
	t.Run("json in a file", func(t *testing.T) {
		file, err := os.Create(t.TempDir() + "/log")
		require.NoError(t, err)
		defer func() { _ = file.Close() }()
		log, err := (&logging{format: "auto", level: "warn"}).logger(file)
		require.NoError(t, err)
		log.Warn("seen")
		text, err := os.ReadFile(file.Name())
		require.NoError(t, err)
		require.True(t, json.Valid(text), "%s", text)
	})
}
