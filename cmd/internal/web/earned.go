package web

import (
	"html/template"
	"strconv"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/projections"
)

// EarnedBar draws how far something is, in the colour of how it stands, which it says
// beside it. Its id is to be the page's only one. A share
// that is not all is never written as 100 %.
func (v *visit) EarnedBar(id string, earned *projections.Percent, rag string) template.HTML {
	if earned == nil {
		return none
	}
	whole := strconv.Itoa(int(*earned) / 100)
	bar := chart.Progress{ID: id, Title: v.Say("%s%% complete", whole), Percent: domain.Decimal(whole), Text: whole + "%", RAG: chart.RAG(rag)}.HTML()
	return `<span class="earned">` + bar + v.RAG(rag) + `</span>`
}

// Index writes a schedule performance index to two places, and a dash where there is none.
func (v *visit) Index(spi *domain.Decimal) template.HTML {
	if spi != nil {
		if rounded, ok := spi.Per("1", 2); ok {
			return v.Figure(rounded)
		}
	}
	return none
}
