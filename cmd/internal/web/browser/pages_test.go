package browser_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/milepost-ledger/milepost/cmd/internal/access"
)

// mainPages are the pages of the demo by a name for their pictures, with a text by which
// one sees, in each language, that all of it has come. Every page has a row.
var mainPages = []struct{ name, path, shows, zh string }{
	{"overview", "/", "Wuxi-CETHIK deepened strategic cooperation framework agreement", "协议"},
	{"agreement", "/agreements/wuxi-cethik-2022", "Obligations", "义务"},
	{"meetings", "/agreements/wuxi-cethik-2017/meetings", "First coordination meeting", "会议"},
	{"meeting", "/agreements/wuxi-cethik-2017/meetings/coordination-2017-11", "First coordination meeting", "会议"},
	{"projects", "/agreements/wuxi-cethik-2017/projects", "Projects", "项目"},
	{"project", "/agreements/wuxi-cethik-2017/projects/iot-base", "Main structure complete", "主体"},
	{"milestone", "/agreements/wuxi-cethik-2017/projects/iot-base/milestones/structure", "Main structure complete", "主体"},
	{"changes", "/changes?agreement=wuxi-cethik-2017&since_meeting=coordination-2017-11&mode=net", "Main structure complete", "主体"},
	{"results", "/agreements/wuxi-cethik-2017/results", "Engineers trained", "培训工程师人数"},
	{"indicator", "/agreements/wuxi-cethik-2017/results/engineers-trained", "Verified progress", "核实"},
	{"funds", "/agreements/wuxi-cethik-2017/funds", "Wuxi IoT industry fund", "无锡物联网产业基金"},
	{"fund", "/agreements/wuxi-cethik-2017/funds/iot-fund", "Steel and concrete", "钢材与混凝土"},
	{"audit", "/audit", "Register of events", "事件登记册"},
	{"event", "/audit/events/139", "Milestone reforecast", "主体"},
	{"stepping", "/agreements/wuxi-cethik-2017/meetings?as_of=seq:139", "Previous event", "前一事件"},
	{"awaiting", "/awaiting", "Awaiting me", "待我办理"},
	{"amendment", "/agreements/wuxi-cethik-2022/amendments/licences", "Later date for the licences", "许可延期"},
	{"party", "/parties/wuxi", "Wuxi Municipal People's Government", "无锡市人民政府"},
	{"record", "/do", "Propose project", "提出项目"},
	{"form", "/do/reforecast-milestone?agreement=wuxi-cethik-2022&project=incubation", "Reforecast milestone", "里程碑"},
	{"access", "/access", "Viewer", "查看者"},
	{"principal", "/access/viewer", "Viewer", "查看者"},
	{"connections", "/connections", "a-receiver", "a-receiver"},
	{"sign-in", "/sign-in", "A token begins with mp_.", "令牌以 mp_ 开头"},
	{"account", "/account", "You are admin", "您的身份"},
}

// withEveryPage is the demonstration with somebody and something for the pages that speak
// of them.
func withEveryPage(t *testing.T) *server {
	t.Helper()
	s := demo(t)
	s.tokenOf(t, "viewer", `"role":"viewer"`)
	s.furnished.Do(func() { // nothing comes of it
		s.do(t, "register-webhook", `{"webhook":"a-receiver","url":"https://receiver.example/hook","kinds":["meeting"]}`)
	})
	return s
}

// printed are those that people print most; to print takes as long as all else together.
var printed = []string{"overview", "agreement", "project", "results", "meeting"}

// What all pages have in common: they are accessible by light and by dark, fit any screen,
// do not jump while they come, are small, speak both languages, and ask
// nobody else for anything.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	s := withEveryPage(t)
	for _, p := range mainPages {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			u := s.administrator(t)
			bytes := u.firstVisit(p.path)
			u.sees(p.shows)
			assert.Positive(t, bytes)
			assert.Less(t, bytes, int64(150_000), "the first visit takes too much")
			assert.Less(t, u.shift(), 0.01, "the page jumps while it comes")
			u.fits()
			u.screenshot(p.name)
			u.accessibleSo()
			if slices.Contains(printed, p.name) {
				assert.Positive(t, u.pdf(p.name))
			}

			u.wall()
			u.fits()

			u.phone()
			u.dark()
			u.speaks("zh-CN")
			u.open(p.path)
			u.sees(p.zh)
			u.fits()
			u.screenshot(p.name + "-phone-dark-zh")
			u.accessibleSo()

			u.withoutScript()
			u.open(p.path)
			assert.Contains(t, u.text(), p.zh, "without scripts it is all there, at once")
		})
	}
}

func TestEveryPageHasARow(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, pattern := range access.Pages() {
		mux.HandleFunc(pattern, http.NotFound)
	}
	visited := map[string]bool{}
	for _, p := range mainPages {
		_, pattern := mux.Handler(httptest.NewRequest(http.MethodGet, p.path, nil))
		visited[pattern] = true
	}
	for _, pattern := range access.Pages() {
		if strings.HasPrefix(pattern, "GET ") && pattern != "GET /assets/{file}" {
			assert.True(t, visited[pattern], "%s is visited by no row of mainPages", pattern)
		}
	}
}
