package api

import (
	"context"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/milepost-ledger/milepost/cmd/internal/ocds"
	"github.com/milepost-ledger/milepost/projections"
)

// exportQuestion takes no effective_at: the package is a history, by the days
// of recording. From when what is in it holds is said by the dates in it.
type exportQuestion struct {
	OfAgreement
	Question
	Publisher string `query:"publisher" maxLength:"200" doc:"Name of who publishes the package; the ledger's when absent."`
	Prefix    string `query:"ocid_prefix" pattern:"^ocds-[a-z0-9]{6}$" doc:"The publisher's registered prefix of OCIDs; an agreement that was imported keeps its OCID." example:"ocds-213czf"`
	Lang      string `query:"lang" pattern:"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" doc:"Language of the texts, such as zh; English when absent. Texts in other languages stand beside them, as title_zh." example:"zh"`

	site url.URL
}

// Resolve notes by which address the server was asked: the package names itself
// and the evidence by it.
func (q *exportQuestion) Resolve(ctx huma.Context) []error {
	q.site = url.URL{Scheme: "http", Host: ctx.Host()}
	if ctx.TLS() != nil {
		q.site.Scheme = "https"
	}
	return nil
}

type exportAnswer struct {
	AsOfHeaders
	Body *ocds.Package
}

// export serves an agreement as others read contracts.
func (s *server) export() {
	op := reading("export-ocds", "agreements", "/v1/agreements/{agreement}/ocds", "An agreement as a record package of OCDS 1.1.")
	op.Description = "The agreement as a contracting process of the Open Contracting Data Standard, with a release for each day on which it " +
		"changed, and what they come to: the compiled release, and the versioned release with the history of each field. " +
		"Releases are by the days of recording, so there is no effective_at. A milestone's dueDate is its agreed date; disbursements are transactions, and evidence is documents."
	get(s, op, func(ctx context.Context, in *exportQuestion) (*exportAnswer, error) {
		models, at, err := s.point(ctx, in, projections.Page{})
		if err != nil {
			return nil, err
		}
		publisher := in.Publisher
		if publisher == "" {
			publisher = "Milepost ledger " + s.cfg.Name
		}
		self := in.site.JoinPath("v1", "agreements", string(in.Agreement), "ocds")
		self.RawQuery = url.Values{"as_of": {"seq:" + strconv.FormatUint(at.Seq, 10)}}.Encode()
		pkg, err := ocds.Export{
			Ledger: s.cfg.Name, Agreement: in.Agreement, At: at, Zone: s.cfg.Location, URI: self.String(),
			Evidence:  in.site.JoinPath("v1", "evidence").String() + "/",
			Publisher: publisher, Prefix: in.Prefix, Language: in.Lang,
		}.Package(ctx, models, s.cfg.Store)
		return &exportAnswer{asOfHeaders(at), pkg}, err
	})
}
