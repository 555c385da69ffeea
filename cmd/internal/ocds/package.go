package ocds

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/milepost-ledger/milepost/domain"
)

// CodeNotOCDS refuses what is neither a release nor a record package.
const CodeNotOCDS = "not-ocds"

// MaxPackage is how large a package may be, in bytes.
const MaxPackage = 256 << 20

// pkg is a release package or a record package; what is not read is left out.
type pkg struct {
	Publisher struct {
		Name string `json:"name"`
	} `json:"publisher"`
	Releases []json.RawMessage `json:"releases"`
	Records  []struct {
		OCID            string            `json:"ocid"`
		Releases        []json.RawMessage `json:"releases"`
		CompiledRelease json.RawMessage   `json:"compiledRelease"`
	} `json:"records"`
}

type release struct {
	OCID      string         `json:"ocid"`
	ID        string         `json:"id"`
	Date      string         `json:"date"`
	Language  string         `json:"language"`
	Parties   []organisation `json:"parties"`
	Buyer     organisation   `json:"buyer"`
	Awards    []award        `json:"awards"`
	Contracts []contract     `json:"contracts"`

	source
	effective domain.Date
	at        time.Time
	where     string // in the file, for messages
}

type organisation struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Roles        []string `json:"roles"`
	ContactPoint struct {
		Name string `json:"name"`
	} `json:"contactPoint"`
}

type award struct {
	ID        scalar         `json:"id"`
	Suppliers []organisation `json:"suppliers"`
}

type contract struct {
	ID          scalar         `json:"id"`
	AwardID     scalar         `json:"awardID"`
	Title       string         `json:"title"`
	Status      string         `json:"status"`
	DateSigned  string         `json:"dateSigned"`
	Period      period         `json:"period"`
	Signatories []organisation `json:"signatories"`
	Items       []struct {
		Description    string `json:"description"`
		Classification struct {
			Scheme      string `json:"scheme"`
			ID          scalar `json:"id"`
			Description string `json:"description"`
		} `json:"classification"`
	} `json:"items"`
	Value          *value            `json:"value"`
	Milestones     []milestone       `json:"milestones"`
	Amendments     []amendmentNotice `json:"amendments"`
	AgreedMetrics  []metric          `json:"agreedMetrics"`
	Documents      []document        `json:"documents"`
	Implementation struct {
		Milestones   []milestone   `json:"milestones"`
		Transactions []transaction `json:"transactions"`
		Metrics      []metric      `json:"metrics"`
		Documents    []document    `json:"documents"`
	} `json:"implementation"`

	source // stands for the document that was signed
}

// UnmarshalJSON keeps the contract as it was published.
func (c *contract) UnmarshalJSON(b []byte) error {
	type plain contract
	c.source = sourceOf(b)
	return json.Unmarshal(b, (*plain)(c))
}

// amendmentNotice is an amendment as it is published.
type amendmentNotice struct {
	ID          scalar `json:"id"`
	Date        string `json:"date"`
	Rationale   string `json:"rationale"`
	Description string `json:"description"`

	source // stands for the document that was signed
}

// UnmarshalJSON keeps the amendment as it was published.
func (a *amendmentNotice) UnmarshalJSON(b []byte) error {
	type plain amendmentNotice
	a.source = sourceOf(b)
	return json.Unmarshal(b, (*plain)(a))
}

// document is a document as it is published: what it says of itself and where
// it is.
type document struct{ source }

// UnmarshalJSON keeps the document as it was published.
func (d *document) UnmarshalJSON(b []byte) error {
	d.source = sourceOf(b)
	return nil
}

type transaction struct {
	ID        scalar       `json:"id"`
	Date      string       `json:"date"`
	Value     *value       `json:"value"`
	Payer     organisation `json:"payer"`
	Payee     organisation `json:"payee"`
	Milestone struct {
		ID scalar `json:"id"`
	} `json:"relatedImplementationMilestone"`
}

type metric struct {
	ID           scalar        `json:"id"`
	Title        string        `json:"title"`
	Observations []observation `json:"observations"`
}

type observation struct {
	ID      scalar `json:"id"`
	Period  period `json:"period"`
	Measure scalar `json:"measure"`
	Value   *value `json:"value"`
	Unit    struct {
		ID   scalar `json:"id"`
		Name string `json:"name"`
	} `json:"unit"`
	Dimensions map[string]any `json:"dimensions"`
}

type period struct {
	StartDate string `json:"startDate"`
	EndDate   string `json:"endDate"`
}

type milestone struct {
	ID      scalar `json:"id"`
	Title   string `json:"title"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	DueDate string `json:"dueDate"`
	DateMet string `json:"dateMet"`

	Documents []document `json:"documents"`
}

// scalar is an identifier, which OCDS allows to be a string or an integer.
type scalar string

func (s *scalar) UnmarshalJSON(b []byte) error {
	*s = ""
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(s))
	}
	if string(b) != "null" {
		*s = scalar(b)
	}
	return nil
}

// source is a part of a package as it was published: its JSON without
// insignificant space, and the SHA-256 of that.
type source struct {
	json []byte
	hash domain.Hash
}

// sourceOf keeps a copy of valid JSON.
func sourceOf(raw []byte) source {
	var compact bytes.Buffer
	if json.Compact(&compact, raw) != nil {
		return source{} // the caller's Unmarshal refuses it
	}
	sum := sha256.Sum256(compact.Bytes())
	return source{compact.Bytes(), domain.Hash(hex.EncodeToString(sum[:]))}
}

// read reads a package and returns its releases in the order of their dates.
func read(r io.Reader) (publisher string, releases []*release, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxPackage+1))
	if err != nil {
		return "", nil, fmt.Errorf("read package: %w", err)
	}
	if len(raw) > MaxPackage {
		return "", nil, domain.Refuse("too-large", "", "the package is larger than %d MiB", MaxPackage>>20)
	}
	var p pkg
	if err := json.Unmarshal(raw, &p); err != nil {
		return "", nil, domain.Refuse(domain.CodeMalformed, "", "not an OCDS package: %v", misfit(err))
	}
	add := func(raw json.RawMessage, where string) error {
		rel, err := readRelease(raw, where)
		if err == nil {
			releases = append(releases, rel)
		}
		return err
	}
	for i, raw := range p.Releases {
		if err := add(raw, fmt.Sprintf("releases[%d]", i)); err != nil {
			return "", nil, err
		}
	}
	for i, rec := range p.Records {
		for j, raw := range rec.Releases {
			if err := add(raw, fmt.Sprintf("records[%d].releases[%d]", i, j)); err != nil {
				return "", nil, err
			}
		}
		if len(rec.Releases) == 0 && len(rec.CompiledRelease) > 0 {
			if err := add(rec.CompiledRelease, fmt.Sprintf("records[%d].compiledRelease", i)); err != nil {
				return "", nil, err
			}
		}
	}
	if len(releases) == 0 {
		return "", nil, domain.Refuse(CodeNotOCDS, "", "neither a release package nor a record package: it has no releases")
	}
	sort.SliceStable(releases, func(i, j int) bool { return releases[i].at.Before(releases[j].at) })
	return p.Publisher.Name, releases, nil
}

// misfit says where JSON is not what OCDS has there, without the names that
// this program has for it.
func misfit(err error) error {
	var wrong *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &wrong):
		return err
	case wrong.Field == "":
		return fmt.Errorf("it is a JSON %s, which OCDS does not have there", wrong.Value)
	}
	return fmt.Errorf("%q in it is a JSON %s, which OCDS does not have there", wrong.Field, wrong.Value)
}

func readRelease(raw json.RawMessage, where string) (*release, error) {
	rel := &release{where: where, source: sourceOf(raw)}
	if err := json.Unmarshal(raw, rel); err != nil {
		return nil, domain.Refuse(domain.CodeInvalidValue, where, "%v", misfit(err))
	}
	if rel.OCID == "" {
		return nil, domain.Refuse(domain.CodeMissingField, where+".ocid", "a release needs its ocid; linked releases must be embedded in the record")
	}
	var err error
	if rel.effective, err = civil(rel.Date); err != nil || rel.effective == 0 {
		return nil, domain.Refuse(domain.CodeInvalidValue, where+".date", "%q is not a date-time such as 2017-01-25T00:00:00Z", rel.Date)
	}
	if rel.at, err = time.Parse(time.RFC3339, rel.Date); err != nil {
		rel.at = rel.effective.Time(time.UTC) // a date alone is used by some publishers
	}
	return rel, nil
}

// civil returns the date of a date-time in the zone it was written in, 0 for "".
func civil(s string) (domain.Date, error) {
	if s == "" {
		return 0, nil
	}
	day, _, _ := strings.Cut(s, "T")
	return domain.ParseDate(day)
}
