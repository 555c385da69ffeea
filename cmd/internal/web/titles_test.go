package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/cmd/internal/api"
	"github.com/milepost-ledger/milepost/cmd/internal/words"
	"github.com/milepost-ledger/milepost/domain"
)

func TestTitles(t *testing.T) {
	r := startDemo(t)
	const of = domain.Key("wuxi-cethik-2017")
	ask := httptest.NewRequest(http.MethodGet, "/", nil).WithContext(t.Context())
	v := &visit{Language: words.English, site: r.site, models: r.models, request: ask}
	var err error
	v.At, err = r.models.Resolve(t.Context(), "")
	require.NoError(t, err)
	page := problemAnswer{v, &api.Problem{}, ""}

	// Given things that are there, then they have their titles; what is not there has
	// none, and the page is shown all the same.
	assert.Equal(t, "Main structure complete", v.Plain(v.title(of, "project/iot-base/milestone/structure")))
	assert.NotEmpty(t, v.title(of, "area/iot"))
	assert.Nil(t, v.title(of, "project/nowhere"))
	assert.Nil(t, v.title("", "party/Not a key"))
	require.NoError(t, r.site.render(httptest.NewRecorder(), http.StatusOK, v, problemPage.template, page))

	// When one cannot be read, then there is no page that takes it for one without a
	// title; what was known before stays known.
	ended, end := context.WithCancel(t.Context())
	end()
	v.request = ask.WithContext(ended)
	assert.NotNil(t, v.title(of, "area/iot"))
	assert.Nil(t, v.title(of, "project/iot-base"))
	assert.ErrorIs(t, r.site.render(httptest.NewRecorder(), http.StatusOK, v, problemPage.template, page), context.Canceled)
}
