package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
)

//go:embed pages/*.html css/*.css js/*.js svg/*.svg
var files embed.FS

// assets are the one stylesheet, the one script and the one icon. A verb that shows no
// page does without.
var assets = sync.OnceValue(func() assetSet {
	return assetSet{
		style:  join("css", "text/css; charset=utf-8"),
		script: join("js", "text/javascript; charset=utf-8"),
		icon:   join("svg", "image/svg+xml"),
	}
})

type assetSet struct{ style, script, icon asset }

// asset has a name that tells what is in it, so browsers keep it for ever, and a new
// version has a new address.
type asset struct {
	name      string
	mediaType string
	content   []byte
	small     []byte // compressed
}

func (a asset) address() string { return "/assets/" + a.name }

// join puts all files of a kind together, in the order of their names.
func join(kind, mediaType string) asset {
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
	return asset{name, mediaType, content.Bytes(), compress(content.Bytes(), gzip.BestCompression)}
}

func (s *site) asset(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("file")
	all := []asset{assets().style, assets().script, assets().icon}
	i := slices.IndexFunc(all, func(a asset) bool { return a.name == name })
	if i < 0 {
		return api.NotThere("There is no asset " + strings.ToValidUTF8(name, "?") + ".")
	}
	found := all[i]
	w.Header().Set("Content-Type", found.mediaType)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	write(w, r, http.StatusOK, found.content, found.small)
	return nil
}
