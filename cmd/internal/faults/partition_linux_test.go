package faults_test

import (
	"slices"
	"testing"
	"time"
)

// partition is a way in which machines do not reach each other.
type partition struct {
	name        string
	begin, heal func(w *network, leader int, others []int)
	serves      bool // commands must be acknowledged meanwhile; else they may have to wait
}

var partitions = []partition{
	{
		name:  "the leader alone",
		begin: func(w *network, leader int, _ []int) { w.unplug(leader) },
		heal:  func(w *network, leader int, _ []int) { w.plug(leader) },

		serves: true,
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
	},
}

// parted is how long machines are parted at most: longer than a leader takes to
// notice that it leads nobody, and than the others take to choose another.
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
		if p.serves {
			l.goesOn(t, 200)
		} else {
			t.Logf("%s: commands were acknowledged meanwhile: %v", p.name, l.goes(200, parted))
		}
		p.heal(w, at, others)
		for _, n := range c.nodes {
			n.await(t)
		}
		l.goesOn(t, 200)
	}
	// then nothing that was acknowledged on any side is lost or there twice
	c.requireWhole(t, l)
}
