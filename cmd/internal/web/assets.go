package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
)

//go:embed pages/*.html css/*.css js/*.js svg/*.svg
var files embed.FS

// assets are the one stylesheet, the one script and the one icon, by their names.
var assets = map[string]asset{}

type asset struct {
	mediaType string
	content   []byte
	small     []byte // compressed
}

// Addresses of the assets. They name what is in them, so browsers keep them for
// ever, and a new version has a new address.
var (
	styleAddress  = join("css", "text/css; charset=utf-8")
	scriptAddress = join("js", "text/javascript; charset=utf-8")
	iconAddress   = join("svg", "image/svg+xml")
)

// join puts all files of a kind together, in the order of their names, and returns
// the address of the whole.
func join(kind, mediaType string) string {
	var content bytes.Buffer
	if kind == "css" {
		content.Write(chart.CSS)
	}
	names, _ := fs.Glob(files, kind+"/*."+kind) // the pattern is good
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			panic(err) // it was listed
		}
		content.Write(b)
	}
	sum := sha256.Sum256(content.Bytes())
	name := "milepost-" + hex.EncodeToString(sum[:8]) + "." + kind
	assets[name] = asset{mediaType, content.Bytes(), compress(content.Bytes(), gzip.BestCompression)}
	return "/assets/" + name
}

func (s *site) asset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	found, ok := assets[name]
	if !ok {
		return api.NotThere("There is no asset " + strings.ToValidUTF8(name, "?") + ".")
	}
	w.Header().Set("Content-Type", found.mediaType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	write(w, r, http.StatusOK, found.content, found.small)
	return nil
}
