package api

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What takes long to answer may be quiet before its first word and between two, by
// HTTP/2 too, where a deadline ends an answer to which nothing is written.
func TestALongAnswerMayBeQuiet(t *testing.T) {
	const pause = 20 * time.Millisecond
	for name, protocol := range map[string]func(*http.Protocols){
		"HTTP/1.1": func(p *http.Protocols) { p.SetHTTP1(true) },
		"HTTP/2":   func(p *http.Protocols) { p.SetUnencryptedHTTP2(true) },
	} {
		t.Run(name, func(t *testing.T) {
			// given an answer that is quiet for longer than who takes it may be
			var quiet func()
			web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				out := patientlyTo(w)
				out.pause = pause
				defer out.end()
				for _, word := range []string{"one ", "two ", "three"} {
					quiet()
					_, err := io.WriteString(out, word)
					assert.NoError(t, err)
					assert.NoError(t, out.Flush())
				}
			}))
			web.Config.Protocols = new(http.Protocols)
			web.Config.Protocols.SetHTTP1(true)
			web.Config.Protocols.SetUnencryptedHTTP2(true)
			web.Config.WriteTimeout, web.Config.ReadHeaderTimeout = pause, 5*pause
			web.Start()
			defer web.Close()
			quiet = func() { // as long as the server waits for a request that does not come
				idle, err := net.Dial("tcp", strings.TrimPrefix(web.URL, "http://"))
				if assert.NoError(t, err) {
					_, _ = io.ReadAll(idle)
					assert.NoError(t, idle.Close())
				}
			}
			transport := &http.Transport{Protocols: new(http.Protocols)}
			protocol(transport.Protocols)
			defer transport.CloseIdleConnections()

			// when it is asked for, then all of it comes
			resp, err := (&http.Client{Transport: transport}).Get(web.URL)
			require.NoError(t, err)
			defer func() { _ = resp.Body.Close() }()
			require.Equal(t, name == "HTTP/2", resp.ProtoMajor == 2)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			assert.Equal(t, "one two three", string(body))
		})
	}
}
