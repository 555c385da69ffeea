package ledger

import "sync"

// generations is a bounded cache: entries that are used stay, others are
// forgotten when as many newer ones have come. It holds up to twice its size.
type generations[K comparable, V any] struct {
	mu         sync.Mutex
	size       int
	young, old map[K]V
}

func newGenerations[K comparable, V any](size int) *generations[K, V] {
	return &generations[K, V]{size: size, young: make(map[K]V)}
}

func (g *generations[K, V]) get(k K) (V, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.lookup(k)
}

// getOrPut returns the entry of k, put there by this call when there was none.
func (g *generations[K, V]) getOrPut(k K, fresh func() V) V {
	g.mu.Lock()
	defer g.mu.Unlock()
	v, ok := g.lookup(k)
	if !ok {
		v = fresh()
		g.insert(k, v)
	}
	return v
}

func (g *generations[K, V]) put(k K, v V) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.insert(k, v)
}

func (g *generations[K, V]) lookup(k K) (V, bool) {
	v, ok := g.young[k]
	if !ok {
		if v, ok = g.old[k]; ok {
			g.insert(k, v)
		}
	}
	return v, ok
}

func (g *generations[K, V]) insert(k K, v V) {
	if len(g.young) >= g.size {
		g.old, g.young = g.young, make(map[K]V, g.size)
	}
	g.young[k] = v
}
