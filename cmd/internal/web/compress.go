package web

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"
)

// write sends what is whole, compressed where the browser takes that: a page of charts
// and tables comes to an eighth.
//
// What stands beside chosen text in a compressed answer can be guessed from its
// length (BREACH). The form token may be: alone it opens nothing, since a form must
// come from this origin as well. Nothing else in a page is a secret from its reader.
func write(w http.ResponseWriter, r *http.Request, status int, plain, compressed []byte) {
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	body := plain
	if takesGzip(r) {
		if compressed == nil {
			compressed = compress(plain, gzip.BestSpeed)
		}
		h.Set("Content-Encoding", "gzip")
		body = compressed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a browser that is gone sees nothing
}

func takesGzip(r *http.Request) bool {
	for coding := range strings.SplitSeq(strings.Join(r.Header.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(coding), ";")
		if strings.EqualFold(name, "gzip") {
			return strings.Trim(weight, " q=0.") != "" || weight == ""
		}
	}
	return false
}

func compress(plain []byte, level int) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, level) // the level is one of the package's
	_, _ = z.Write(plain)                  // into memory
	_ = z.Close()
	return b.Bytes()
}
