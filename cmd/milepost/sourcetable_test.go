package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// startDemo runs the demo, to be asked as its administrator.
func startDemo(t *testing.T) demo {
	t.Helper()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	a := &app{out: io.Discard, err: io.Discard, env: os.Getenv}
	ready, ended := make(chan demo, 1), make(chan error, 1)
	go func() {
		ended <- a.serve(ctx, nodeConfig{dir: dir, name: "demo", timezone: "Asia/Shanghai", log: a.logger()}, &listening{address: "127.0.0.1:0"},
			func(ctx context.Context, s *server) error {
				defer func() { ready <- demo{t, s.url, s.admin, s.link()} }()
				return s.importDemo(ctx)
			})
	}()
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, <-ended)
	})
	select {
	case d := <-ready:
		return d
	case err := <-ended:
		ended <- err
		require.NoError(t, err)
		require.FailNow(t, "the demo ended before it was ready")
	}
	return demo{}
}

// object is an answer, or an item of one.
type object map[string]any

func (o object) text(name string) string {
	s, _ := o[name].(string)
	return s
}

func (o object) number(name string) float64 {
	n, _ := o[name].(float64)
	return n
}

func (o object) list(name string) []any {
	l, _ := o[name].([]any)
	return l
}

// demo asks the demo's API.
type demo struct {
	t                    *testing.T
	address, token, link string
}

func (d demo) get(path string) *http.Response {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.t.Context(), http.MethodGet, d.address+path, nil)
	require.NoError(d.t, err)
	req.Header.Set("Authorization", "Bearer "+d.token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(d.t, err)
	return resp
}

func (d demo) one(path string) object {
	d.t.Helper()
	resp := d.get(path)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(d.t, err)
	require.Equal(d.t, http.StatusOK, resp.StatusCode, "%s: %s", path, body)
	var o object
	require.NoError(d.t, json.Unmarshal(body, &o), path)
	return o
}

// all returns the items of a list, each of which must have a title in both
// languages where it has one at all.
func (d demo) all(path string) []object {
	d.t.Helper()
	var items []object
	for _, item := range d.one(path).list("items") {
		o := object(item.(map[string]any))
		if title := o["title"]; title != nil { // a sum has none
			requireBothLanguages(d.t, path, title)
		}
		items = append(items, o)
	}
	require.NotEmpty(d.t, items, path)
	return items
}

func requireBothLanguages(t *testing.T, what string, text any) {
	t.Helper()
	title, _ := text.(map[string]any)
	require.NotEmpty(t, title["en"], what)
	require.NotEmpty(t, title["zh"], what)
}

func those(items []object, name, value string) []object {
	return slices.DeleteFunc(slices.Clone(items), func(o object) bool { return o.text(name) != value })
}

const (
	framework = "/v1/agreements/wuxi-cethik-2017"
	town      = "/v1/agreements/wuxi-cetc-software-2018"
	deepened  = "/v1/agreements/wuxi-cethik-2022"
)

// Each row of what the ledger was made for is in the demo, asked for as anyone
// would: the rows are those of the strategic cooperation between a city and an
// enterprise group.
func TestTheDemoHoldsTheWholeCooperation(t *testing.T) {
	d := startDemo(t)
	for _, row := range []struct {
		row   string
		check func(t *testing.T, d demo)
	}{
		{"two sides sign a strategic cooperation agreement", func(t *testing.T, d demo) {
			a := d.one(framework)
			requireBothLanguages(t, "title", a["title"])
			assert.Equal(t, []any{"wuxi", "cethik"}, a.list("signed"))
			assert.Equal(t, "2017-02-28", a.text("effective_on"))
		}},
		{"cooperation since the 1990s", func(t *testing.T, d demo) {
			prior := d.one(framework).list("prior")
			require.NotEmpty(t, prior)
			assert.Equal(t, "199X", object(prior[0].(map[string]any)).text("date"))
		}},
		{"the areas", func(t *testing.T, d demo) {
			var keys []string
			for _, a := range d.one(framework).list("areas") {
				area := object(a.(map[string]any))
				requireBothLanguages(t, "area", area["title"])
				keys = append(keys, area.text("area"))
			}
			for _, area := range []string{"microelectronics", "iot", "platforms", "civil-military", "industrial-funds"} {
				assert.Contains(t, keys, area)
			}
		}},
		{"three mechanisms, and they meet", func(t *testing.T, d demo) {
			for _, agreement := range []string{framework, deepened} {
				meetings := those(d.all(agreement+"/meetings"), "state", "held")
				for _, kind := range []string{"coordination", "consultation", "project-implementation"} {
					found := those(d.all(agreement+"/mechanisms"), "kind", kind)
					require.Len(t, found, 1, kind)
					if agreement == framework {
						assert.NotEmpty(t, those(meetings, "mechanism", found[0].text("mechanism")), "%s has met", kind)
					}
				}
			}
			assert.NotEmpty(t, those(d.all(framework+"/actions"), "state", "done"))
			assert.NotEmpty(t, those(d.all(deepened+"/actions"), "state", "open"))
			assert.NotEmpty(t, d.all(framework+"/decisions"))
		}},
		{"the fund, explored and then established", func(t *testing.T, d demo) {
			f := d.one(framework + "/funds/iot-fund")
			assert.Equal(t, "established", f.text("state"))
			assert.Equal(t, "CNY", f.text("currency"))
			var states []string
			for _, e := range d.all("/v1/events?agreement=wuxi-cethik-2017&kind=fund&key=iot-fund") {
				states = append(states, object(e["event"].(map[string]any)).text("type"))
			}
			explored, established := slices.Index(states, "milepost.fund.proposed.v1"), slices.Index(states, "milepost.fund.established.v1")
			assert.True(t, 0 <= explored && explored < established, states)
			for _, party := range []string{"wuxi", "cethik"} {
				by := those(d.all(framework+"/funding?by=party"), "key", party)
				require.Len(t, by, 1)
				for _, stage := range []string{"pledged", "committed", "disbursed", "spent"} {
					assert.NotContains(t, []string{"", "0"}, by[0].text(stage), "%s by %s", stage, party)
				}
			}
			assert.NotEmpty(t, d.all(framework+"/funding?by=project"))
		}},
		{"the projects", func(t *testing.T, d demo) {
			for path, kind := range map[string]string{
				framework + "/projects/iot-base":               "industry-base",
				town + "/projects/huihai-bay":                  "town",
				framework + "/projects/ic-design-platform":     "public-service-platform",
				framework + "/projects/dual-centre":            "public-service-platform",
				deepened + "/projects/transformation-platform": "transformation-platform",
				deepened + "/projects/incubation":              "incubation",
				deepened + "/projects/industrialisation":       "industrialisation",
			} {
				p := d.one(path)
				requireBothLanguages(t, path, p["title"])
				assert.Equal(t, kind, p.text("kind"), path)
				assert.NotEmpty(t, d.all(path+"/milestones"))
			}
			p := d.one(deepened + "/projects/transformation-platform")
			assert.Equal(t, 7.0, p.number("trl"))
			assert.NotEmpty(t, d.all(deepened+"/projects/transformation-platform/gates"))
		}},
		{"early cooperation, early results", func(t *testing.T, d demo) {
			pace := d.one(framework + "/pace")
			assert.Equal(t, 41.0, pace.number("days_to_first_project"))
			assert.Equal(t, 326.0, pace.number("days_to_first_result"))
		}},
		{"mutual benefit", func(t *testing.T, d demo) {
			balance := d.all(framework + "/balance")
			for _, party := range []string{"wuxi", "cethik"} {
				b := those(balance, "party", party)
				require.Len(t, b, 1, party)
				owes, owed := object(b[0]["owes"].(map[string]any)), object(b[0]["owed"].(map[string]any))
				assert.Positive(t, owes.number("count"), "%s owes", party)
				assert.Positive(t, owes.number("fulfilled"), "%s has delivered", party)
				assert.Positive(t, owed.number("count"), "%s is owed", party)
				assert.NotEmpty(t, b[0].list("put_in"), "%s has put in", party)
				assert.NotEmpty(t, b[0].list("results"), "%s benefits", party)
				assert.NotEmpty(t, those(d.all(framework+"/results?by=beneficiary"), "key", party))
			}
		}},
		{"an amendment", func(t *testing.T, d demo) {
			in := those(d.all(framework+"/amendments"), "state", "in-effect")
			require.Len(t, in, 1)
			assert.Equal(t, "2020-06-18", in[0].text("effective_on"))
			m := d.one(framework + "/projects/ic-design-platform/milestones/hundred-users")
			assert.Equal(t, "2021-06-30", m.text("due"), "it moved an agreed date")
			assert.Equal(t, "2021-06-30", m.text("baseline"), "and the baseline")
			assert.NotEmpty(t, those(d.all(deepened+"/amendments"), "state", "proposed"))
		}},
		{"the renewal", func(t *testing.T, d demo) {
			assert.Equal(t, "wuxi-cethik-2022", d.one(framework).text("renewed_by"))
			assert.Equal(t, "wuxi-cethik-2017", d.one(deepened).text("renews"))
			assert.Equal(t, "active", d.one(deepened).text("state"))
		}},
		{"what waits for each side", func(t *testing.T, d demo) {
			for party, kinds := range map[string][]string{"wuxi": {"signature", "confirmation", "action"}, "cethik": {"confirmation", "action"}} {
				waiting := d.all("/v1/awaiting?party=" + party)
				for _, kind := range kinds {
					assert.NotEmpty(t, those(waiting, "kind", kind), "%s of %s", kind, party)
				}
			}
		}},
		{"the evidence", func(t *testing.T, d demo) {
			cited := 0
			for _, e := range d.all("/v1/events?limit=1000&type=milepost.project.achievement-claimed.v1") {
				hash := object(e["event"].(map[string]any)).text("evidence")
				resp := d.get("/v1/evidence/" + url.PathEscape(hash))
				body, err := io.ReadAll(resp.Body)
				require.NoError(t, err)
				require.NoError(t, resp.Body.Close())
				assert.Equal(t, http.StatusOK, resp.StatusCode)
				assert.Contains(t, string(body), "Illustrative")
				cited++
			}
			assert.Greater(t, cited, 10)
		}},
	} {
		t.Run(row.row, func(t *testing.T) {
			d := d
			d.t = t
			row.check(t, d)
		})
	}
}
