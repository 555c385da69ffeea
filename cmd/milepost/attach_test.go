package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
)

// appTo is the program with a server that answers with h.
func appTo(t *testing.T, in string, h http.HandlerFunc) (*app, *bytes.Buffer) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	var out bytes.Buffer
	return &app{server: server.URL, env: func(string) string { return "" }, in: strings.NewReader(in), out: &out, err: io.Discard, output: "table"}, &out
}

// Given a server, or a line to it, that hands out other bytes or not all of them,
// when evidence is fetched, then that is an error, and no file appears.
func TestEvidenceIsCheckedWhereItArrives(t *testing.T) {
	want := domain.Hash("ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73") // of "content"
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"right":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "content") }, ""},
		"wrong":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "Content") }, "do not use it"},
		"nothing": {func(http.ResponseWriter, *http.Request) {}, "do not use it"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "content")
		}, "broke off"},
		"no such":  {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "404"},
		"too long": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "content, and more") }, "do not use it"},
	} {
		t.Run(name, func(t *testing.T) {
			a, out := appTo(t, "", c.answer)
			file := filepath.Join(t.TempDir(), "file")
			toFile, toOut := a.getEvidence(t.Context(), want, file), a.getEvidence(t.Context(), want, "")
			left, err := filepath.Glob(filepath.Join(filepath.Dir(file), "*"))
			require.NoError(t, err)
			if c.says == "" {
				require.NoError(t, toFile)
				require.NoError(t, toOut)
				assert.Equal(t, "content", out.String())
				assert.Equal(t, []string{file}, left)
				content, err := os.ReadFile(file)
				require.NoError(t, err)
				assert.Equal(t, "content", string(content))
				return
			}
			assert.ErrorContains(t, toFile, c.says)
			assert.ErrorContains(t, toOut, c.says)
			assert.Empty(t, left)
		})
	}
}

// Given a line that changes bytes on the way, when a file is attached, then what
// the server says that it stored is not believed to be the file.
func TestAttachingIsChecked(t *testing.T) {
	a, _ := appTo(t, "content", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"sha256":"`+strings.Repeat("0", 64)+`","size":7}`)
	})
	done, err := a.attach(t.Context(), []string{"-"})
	assert.ErrorContains(t, err, "attach it again")
	assert.Empty(t, done)
}
