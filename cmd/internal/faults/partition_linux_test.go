package faults_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// partition is a way in which machines do not reach each other. Where a majority
// does in both ways, commands must be acknowledged meanwhile, through each replica:
// they reach all servers, and may have been at one that is cut off.
type partition struct {
	name        string
	begin, heal func(w *network, leader int, others []int)
	minorities  bool // no majority is left
}

var partitions = []partition{
	{
		name:  "the leader alone",
		begin: func(w *network, leader int, _ []int) { w.unplug(leader) },
		heal:  func(w *network, leader int, _ []int) { w.plug(leader) },
	},
	{
		name: "the leader hears the others, who do not hear it",
		begin: func(w *network, leader int, others []int) {
			for _, o := range others {
				w.deafen(leader, o)
			}
		},
		heal: func(w *network, leader int, others []int) {
			for _, o := range others {
				w.hear(leader, o)
			}
		},
	},
	{
		name:  "the leader and another do not reach each other, and all else is well",
		begin: func(w *network, leader int, others []int) { w.part(leader, others[0]) },
		heal:  func(w *network, leader int, others []int) { w.join(leader, others[0]) },
	},
	{
		name: "the others hear the leader, which does not hear them",
		begin: func(w *network, leader int, others []int) {
			for _, o := range others {
				w.deafen(o, leader)
			}
		},
		heal: func(w *network, leader int, others []int) {
			for _, o := range others {
				w.hear(o, leader)
			}
		},
	},
	{
		name:  "no server reaches another",
		begin: func(w *network, leader int, others []int) { w.part(append(others, leader)...) },
		heal:  func(w *network, leader int, others []int) { w.join(append(others, leader)...) },

		minorities: true,
	},
}

// parted is how long machines are parted where no majority is left: longer than a
// leader takes to notice that it leads nobody.
const parted = 15 * time.Second

func TestPartition(t *testing.T) {
	times := thorough(t, 1, 20)
	// given a cluster under load, each server and each replica on a machine of its own
	w := newNetwork(t, natsNodes+replicas)
	c := startCluster(t, w.places...)
	l := startLoad(t, newPromises(), 7, 8, c.replicas...)
	for i := range times {
		l.goesOn(t, 200)
		// when the network is parted, and heals
		p := partitions[i%len(partitions)]
		leader := c.leader(t)
		at := slices.Index(c.nodes, leader)
		others := slices.DeleteFunc([]int{0, 1, 2}, func(n int) bool { return n == at })
		p.begin(w, at, others)
		began := time.Now()
		if p.minorities {
			require.False(t, l.goes(200, parted), "who has acknowledged this?")
		} else {
			for _, r := range c.replicas {
				l.to(r)
				l.goesOn(t, 200)
			}
			l.to(c.replicas...)
		}
		served := time.Since(began)
		p.heal(w, at, others)
		began = time.Now()
		l.goesOn(t, 200)
		t.Logf("%s: parted for %v, served %v after it was healed", p.name, served.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
		for _, n := range c.nodes {
			n.await(t)
		}
	}
	// then nothing that was acknowledged on any side is lost or there twice
	c.requireWhole(t, l)
}
