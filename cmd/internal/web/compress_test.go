package web

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPagesAreCompressedForWhoTakesThat(t *testing.T) {
	r := startDemo(t)
	bare := &http.Transport{DisableCompression: true} // as answers come
	defer bare.CloseIdleConnections()
	for _, path := range []string{"/agreements/wuxi-cethik-2022", assets().style.address()} {
		plain := r.send(http.MethodGet, path, nil).body
		for accept, want := range map[string]bool{"gzip": true, "br, gzip;q=0.5": true, "gzip;q=0": false, "gzip;q=0.0": false, "identity": false, "": false} {
			// Given a browser that takes some codings, when it asks for a page.
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.url+path, nil)
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+r.admin)
			req.Header.Set("Accept-Encoding", accept)
			resp, err := bare.RoundTrip(req)
			require.NoError(t, err)
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.NoError(t, resp.Body.Close())

			// Then it is the same page, by that coding or by none.
			assert.Equal(t, strconv.Itoa(len(body)), resp.Header.Get("Content-Length"))
			assert.Contains(t, resp.Header.Values("Vary"), "Accept-Encoding")
			if !want {
				assert.Empty(t, resp.Header.Get("Content-Encoding"), accept)
				assert.Len(t, string(body), len(plain), accept)
				continue
			}
			require.Equal(t, "gzip", resp.Header.Get("Content-Encoding"), accept)
			assert.Less(t, len(body)*3, len(plain))
			z, err := gzip.NewReader(bytes.NewReader(body))
			require.NoError(t, err)
			unpacked, err := io.ReadAll(z)
			require.NoError(t, err)
			assert.Len(t, unpacked, len(plain))
		}
	}
}
