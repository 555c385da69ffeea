package sheet

import (
	"slices"
	"strings"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/project"
)

// link finds which rows depend on which, and refuses keys that are there twice
// and circles.
func (p *Plan) link() {
	type key struct{ project, milestone domain.Key }
	places := map[key]int{}
	for i := range p.rows {
		r := &p.rows[i]
		k := key{r.command.Project, r.command.Milestone}
		if k.milestone == "" || r.of("milestone") != nil || r.of("project") != nil {
			continue
		}
		if first, twice := places[k]; twice {
			r.errors = append(r.errors, p.table.blame(r.number, p.columnOf("milestone"), "milestone", domain.CodeAlreadyExists,
				"%q is the key of row %d too: each milestone has its own", k.milestone, p.rows[first].number))
			continue
		}
		places[k] = i
	}
	for i := range p.rows {
		r := &p.rows[i]
		if r.of("depends_on") != nil {
			continue
		}
		for _, on := range r.command.DependsOn {
			if j, here := places[key{r.command.Project, on}]; here {
				r.after = append(r.after, j)
			}
		}
	}
}

// sort finds the order, and refuses circles.
func (p *Plan) sort() {
	const (
		unseen = iota
		open   // among those that lead to the one at hand
		done
	)
	state := make([]int, len(p.rows))
	var path []int
	var visit func(i int)
	visit = func(i int) {
		switch state[i] {
		case open:
			p.refuseCircle(slices.Concat(path[slices.Index(path, i):], []int{i}))
			return
		case done:
			return
		}
		state[i] = open
		path = append(path, i)
		for _, j := range p.rows[i].after {
			visit(j)
		}
		path = path[:len(path)-1]
		state[i] = done
		p.order = append(p.order, i)
	}
	for i := range p.rows {
		visit(i)
	}
}

func (p *Plan) refuseCircle(rows []int) {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = string(p.rows[r].command.Milestone)
	}
	r := &p.rows[rows[len(rows)-2]] // the one that closes it
	r.errors = append(r.errors, p.table.blame(r.number, p.columnOf("depends_on"), "depends_on", project.CodeDependencyCycle,
		"%s: nothing can depend on itself; take one of them out", strings.Join(names, " -> ")))
}
