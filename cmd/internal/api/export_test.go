package api

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/ocds"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// exported is what the tests read of a record package.
type exported struct {
	ocds.Package
	Records []struct {
		OCID            string           `json:"ocid"`
		Releases        []map[string]any `json:"releases"`
		CompiledRelease struct {
			Contracts []struct {
				Title          string
				Implementation struct {
					Milestones []struct {
						ID, Title, Status, DueDate string
						Documents                  []struct{ ID, URL string }
					}
				}
			}
		} `json:"compiledRelease"`
	} `json:"records"`
}

func TestAnAgreementIsExportedAsARecordPackage(t *testing.T) {
	r := start(t)
	r.scheduled()
	proof := r.attach("a photo of the roof")
	r.done("claim-achievement", `{"agreement":"wuxi-2017","project":"iot-base","milestone":"design","party":"cethik","met_on":"2019-02-01","evidence":["`+proof+`"]}`)

	var p exported
	answer := r.get("/v1/agreements/wuxi-2017/ocds").is(http.StatusOK).into(&p)
	assert.Equal(t, "application/json", answer.header.Get("Content-Type"))
	assert.Equal(t, "1.1", p.Version)
	assert.Equal(t, "Milepost ledger test", p.Publisher.Name)
	require.Len(t, p.Records, 1)
	record := p.Records[0]
	assert.Equal(t, "ocds-000000-wuxi-2017", record.OCID)
	require.Len(t, record.Releases, 1)
	assert.Equal(t, record.Releases[0]["date"], p.PublishedDate)
	milestones := record.CompiledRelease.Contracts[0].Implementation.Milestones
	require.Len(t, milestones, 1)
	assert.Equal(t, "iot-base/design", milestones[0].ID)
	assert.Equal(t, "scheduled", milestones[0].Status) // claimed, and not confirmed

	// the documents are where it says they are, and so is the package itself
	require.Len(t, milestones[0].Documents, 1)
	assert.Equal(t, r.url+"/v1/evidence/"+proof, milestones[0].Documents[0].URL)
	require.Contains(t, p.URI, r.url+"/v1/agreements/wuxi-2017/ocds?as_of=seq")
	assert.Equal(t, string(answer.body), string(r.get(p.URI[len(r.url):]).is(http.StatusOK).body))

	// with the names that the publisher has
	r.get("/v1/agreements/wuxi-2017/ocds?publisher=City&ocid_prefix=ocds-213czf&lang=zh").is(http.StatusOK).into(&p)
	assert.Equal(t, "City", p.Publisher.Name)
	assert.Equal(t, "ocds-213czf-wuxi-2017", p.Records[0].OCID)
	assert.Equal(t, "zh", p.Records[0].Releases[0]["language"])

	for _, c := range []struct {
		path   string
		status int
		code   string
	}{
		{"/v1/agreements/none/ocds", 404, domain.CodeNotFound},
		{"/v1/agreements/wuxi-2017/ocds?as_of=seq:1", 404, domain.CodeNotFound},
		{"/v1/agreements/wuxi-2017/ocds?ocid_prefix=213czf", 400, CodeInvalidParameter},
		{"/v1/agreements/wuxi-2017/ocds?lang=%22", 400, CodeInvalidParameter},
		{"/v1/agreements/wuxi-2017/ocds?as_of=tomorrow", 400, projections.CodeInvalidAsOf},
		{"/v1/agreements/wuxi-2017/ocds?limit=1", 400, CodeUnknownParameter},
	} {
		r.get(c.path).problem(c.status, c.code)
	}
}
