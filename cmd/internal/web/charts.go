package web

import (
	"strconv"

	"github.com/milepost-ledger/milepost/cmd/internal/web/chart"
	"github.com/milepost-ledger/milepost/cmd/internal/words"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// frame is what a chart is given by every page: its name, what it shows in words, and
// how its language writes.
func (v *visit) frame(id, title, description, empty string) chart.Frame {
	return chart.Frame{ID: id, Title: title, Description: description, Empty: empty, Date: v.Date, Tick: v.tick, Number: v.Number}
}

// tick writes the day that a unit of a time axis starts with.
func (v *visit) tick(d domain.Date, unit chart.Unit) string {
	chinese := v.Language == words.Chinese
	year, month, day := d.String()[:4], d.String()[5:7], d.String()[8:]
	switch {
	case unit == chart.Year && chinese:
		return year + "年"
	case unit == chart.Year:
		return year
	case unit == chart.Quarter:
		n, _ := strconv.Atoi(month) // it is a date's
		quarter := strconv.Itoa((n + 2) / 3)
		if chinese {
			return year + "年" + quarter + "季度"
		}
		return year + " Q" + quarter
	case unit == chart.Month:
		return year + "-" + month
	}
	return year + "-" + month + "-" + day
}

func (v *visit) ragWords() chart.RAGWords {
	return chart.RAGWords{Green: v.Label(project.Green), Amber: v.Label(project.Amber), Red: v.Label(project.Red)}
}
