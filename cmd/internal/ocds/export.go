package ocds

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/eventstore"
	"github.com/milepost-ledger/milepost/projections"
)

// Export says which agreement is exported, as of when, and how.
type Export struct {
	Ledger    string // its name
	Agreement domain.Key
	At        projections.Point
	Zone      *time.Location // the ledger's
	URI       string         // of the package
	Evidence  string         // URI of evidence, without the hash at its end
	Publisher string
	Prefix    string // of OCIDs, as the Open Contracting Partnership gave it to the publisher; "" for DefaultPrefix
	Language  string // of texts, those in other languages stand beside them; "" for en
}

// DefaultPrefix stands for the OCID prefix of a publisher that has none.
const DefaultPrefix = "ocds-000000"

// extensions is the profile with the fields that OCDS 1.1.5 has not itself:
// signatories, metrics, the milestone of a transaction.
var extensions = []string{"https://standard.open-contracting.org/profiles/ppp/extension/1__0__0__beta4/extension.json"}

// Package is a record package of OCDS 1.1.
type Package struct {
	URI           string    `json:"uri"`
	Version       string    `json:"version"`
	Extensions    []string  `json:"extensions"`
	Publisher     Publisher `json:"publisher"`
	PublishedDate string    `json:"publishedDate"` // of the last change to what is in it
	Records       []Record  `json:"records"`
}

// Publisher is who publishes a package.
type Publisher struct {
	Name string `json:"name"`
}

// Record is all that is published of one contracting process.
type Record struct {
	OCID             string   `json:"ocid"`
	Releases         []object `json:"releases"`
	CompiledRelease  object   `json:"compiledRelease"`
	VersionedRelease object   `json:"versionedRelease"`
}

// Package makes the record package of the agreement, or refuses with not-found.
// The same question as of the same point always has the same answer.
func (x Export) Package(ctx context.Context, models *projections.Models, store *eventstore.Store) (*Package, error) {
	if _, err := models.Agreement(ctx, x.Agreement, x.At); err != nil {
		return nil, err
	}
	x.Prefix, x.Language = cmp.Or(x.Prefix, DefaultPrefix), cmp.Or(x.Language, "en")
	e := &exporter{
		Export: x, ctx: ctx, models: models, store: store, fold: fold{entities: map[string]*entity{}, groups: map[string][]*entity{}},
		said: map[spot]object{}, parties: map[domain.Key]*signatory{}, attached: map[*entity][]any{}, listed: map[domain.Hash]bool{}, texts: map[domain.Hash]bool{},
	}
	if err := e.readEvidence(); err != nil {
		return nil, err
	}
	if err := days(ctx, models, x.Agreement, x.At, x.Zone, &e.fold, e.cite, e.release); err != nil {
		return nil, err
	}
	return &Package{
		URI: x.URI, Version: "1.1", Extensions: extensions, Publisher: Publisher{x.Publisher}, PublishedDate: e.instant(e.at),
		Records: []Record{{e.ocid, e.releases, compiled(e.releases), versions(e.releases)}},
	}, nil
}

// exporter makes a release of each ledger day on which anything changed that
// OCDS has a word for. The day is that of recording: a release is what the
// ledger said on that day that it had not said before, whenever that held in
// the world. So a release once made stays as it is, whatever is recorded later;
// only that of the last day may still grow, and has another id then.
type exporter struct {
	Export
	fold
	ctx    context.Context
	models *projections.Models
	store  *eventstore.Store

	ocid, contract string
	said           map[spot]object // in releases so far, by where it stands
	releases       []object

	parties  map[domain.Key]*signatory
	order    []*signatory // in which they came
	cited    map[uint64][]domain.Hash
	listed   map[domain.Hash]bool // evidence that is a document somewhere
	attached map[*entity][]any    // documents of milestones
	texts    map[domain.Hash]bool // that the parties sign or signed
	pending  []attachment         // evidence of the day
}

// release releases what the changes of a day come to.
func (x *exporter) release() error {
	if x.ocid == "" {
		x.identify()
	}
	r := &draft{exporter: x, id: fmt.Sprintf("%s-%d", x.ocid, x.seq), tags: map[string]bool{}}
	if err := r.attach(); err != nil {
		return err
	}
	shown := map[*entity]bool{}
	for _, e := range x.settle() {
		subject, err := x.subject(e)
		if err != nil {
			return err
		}
		if subject == nil || shown[subject] {
			continue
		}
		shown[subject] = true
		if err := r.show(subject); err != nil {
			return err
		}
	}
	if err := r.showParties(); err != nil {
		return err
	}
	if len(r.parts) > 0 {
		x.releases = append(x.releases, r.finish())
	}
	return nil
}

// identify finds out under which ids the agreement was published, if it was.
func (x *exporter) identify() {
	x.contract = string(x.Agreement)
	x.ocid = x.Prefix + "-" + x.contract
	if e := x.entities[agreement.Ref(x.Agreement).Path()]; e != nil {
		if o, ok := parseOrigin(e.reason); ok && o.process() != "" {
			x.ocid, x.contract = o.process(), o.id
		}
	}
}

// instant writes a time as OCDS does.
func (x *exporter) instant(t time.Time) string { return t.In(x.Zone).Format(time.RFC3339) }

// begin and end write a civil date as the first and the last second of the day.
func (x *exporter) begin(d domain.Date) string { return x.instant(d.Time(x.Zone)) }
func (x *exporter) end(d domain.Date) string {
	return x.instant((d + 1).Time(x.Zone).Add(-time.Second))
}

// period writes the days of a period.
func (x *exporter) period(start, end domain.Date) object {
	o := object{}
	if start != 0 {
		o["startDate"] = x.begin(start)
	}
	if end != 0 {
		o["endDate"] = x.end(end)
	}
	return o
}

// put puts a text in o under name, and other languages under name_<language>.
func (x *exporter) put(o object, name string, text domain.Text) {
	main := text.In(x.Language)
	if main == "" {
		return
	}
	o[name] = main
	for language, s := range text {
		if s != main {
			o[name+"_"+language] = s
		}
	}
}
