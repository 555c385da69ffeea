package projections_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/party"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// plainTree is a Merkle tree in memory, made of the bytes themselves.
type plainTree struct {
	leaves []tlog.Hash
	hashes []tlog.Hash // stored, as tlog orders them
	seqs   []uint64    // of the leaves
}

func (p *plainTree) ReadHashes(indexes []int64) (hashes []tlog.Hash, err error) {
	for _, i := range indexes {
		hashes = append(hashes, p.hashes[i])
	}
	return hashes, nil
}

func (p *plainTree) add(t tb, seq uint64, data []byte) {
	hashes, err := tlog.StoredHashes(int64(len(p.leaves)), data, p)
	require.NoError(t, err)
	p.leaves, p.hashes, p.seqs = append(p.leaves, hashes[0]), append(p.hashes, hashes...), append(p.seqs, seq)
}

func (p *plainTree) at(t tb, size int) tlog.Tree {
	root, err := tlog.TreeHash(int64(size), p)
	require.NoError(t, err)
	return tlog.Tree{N: int64(size), Hash: root}
}

// plainTrees makes the trees of a log, the ledger's under "".
func plainTrees(t tb, log *memory) map[domain.Key]*plainTree {
	trees := map[domain.Key]*plainTree{"": {}}
	records, _ := log.all()
	for _, r := range records {
		trees[""].add(t, r.Seq, r.Data)
		env, err := domain.DecodeEnvelope(r.Data)
		require.NoError(t, err)
		if of := env.Ref.Agreement; of != "" {
			if trees[of] == nil {
				trees[of] = &plainTree{}
			}
			trees[of].add(t, r.Seq, r.Data)
		}
	}
	return trees
}

// requireTrees requires that the models have the trees of the log, of every size.
func requireTrees(t tb, m *projections.Models, trees map[domain.Key]*plainTree) {
	t.Helper()
	ctx := context.Background()
	for of, tree := range trees {
		for size := range len(tree.leaves) + 1 {
			root, err := m.TreeRoot(ctx, of, uint64(size))
			require.NoError(t, err)
			require.Equal(t, tree.at(t, size).Hash, root, "tree %q of size %d", of, size)
		}
		for i, seq := range tree.seqs {
			size, err := m.TreeSize(ctx, of, seq)
			require.NoError(t, err)
			require.EqualValues(t, i+1, size, "tree %q at %d", of, seq)
			leaf, err := m.Leaf(ctx, seq)
			require.NoError(t, err)
			require.Equal(t, tree.leaves[i], leaf.Hash)
			if of != "" {
				require.Equal(t, of, leaf.Agreement)
				require.EqualValues(t, i, leaf.Index)
			}
		}
	}
}

// requireProofs requires that a leaf and an earlier size of a tree are proved,
// to tlog and to an implementation that shares nothing with it.
func requireProofs(t tb, m *projections.Models, of domain.Key, tree *plainTree, size, index, from int) {
	t.Helper()
	ctx, whole := context.Background(), tree.at(t, size)
	included, err := m.ProveInclusion(ctx, of, whole, uint64(index))
	require.NoError(t, err)
	require.NoError(t, tlog.CheckRecord(included, whole.N, whole.Hash, int64(index), tree.leaves[index]))
	require.NoError(t, proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(size), tree.leaves[index][:], plain(included), whole.Hash[:]))

	before := tree.at(t, from)
	consistent, err := m.ProveConsistency(ctx, of, uint64(from), whole)
	require.NoError(t, err)
	if from > 0 { // tlog has no proof of what begins with nothing
		require.NoError(t, tlog.CheckTree(consistent, whole.N, whole.Hash, before.N, before.Hash))
	}
	require.NoError(t, proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(from), uint64(size), plain(consistent), before.Hash[:], whole.Hash[:]))
}

func plain(hashes []tlog.Hash) [][]byte {
	out := make([][]byte, len(hashes))
	for i := range hashes {
		out[i] = hashes[i][:]
	}
	return out
}

// The trees of the ledger and of each agreement are those of the stored bytes,
// whether the models followed or were made in one go, and every proof holds.
func TestTreesAreThoseOfTheLog(t *testing.T) {
	t.Parallel()
	check(t, func(t *rapid.T) {
		// given a random history of two agreements, and read models that followed it
		l, log := inMemory(t)
		l.given(agreement.Drafted{ID: agreement.ID{Agreement: "another"}, Kind: "framework", Title: text("Another"), Parties: []domain.Key{"a", "b"}})
		l.wander(t, 40)
		followed, done := live(t, log)
		defer done()
		made, done := fresh(t, log)
		defer done()
		trees := plainTrees(t, log)
		for _, m := range []*projections.Models{followed, made} {
			// then
			requireTrees(t, m, trees)
			for of, tree := range trees {
				size := rapid.IntRange(1, len(tree.leaves)).Draw(t, "size")
				requireProofs(t, m, of, tree, size, rapid.IntRange(0, size-1).Draw(t, "index"), rapid.IntRange(0, size).Draw(t, "from"))
			}
			from := rapid.IntRange(1, int(l.seq)).Draw(t, "from")
			to := rapid.IntRange(from, int(l.seq)).Draw(t, "to")
			leaves, err := m.Leaves(context.Background(), uint64(from), uint64(to))
			require.NoError(t, err)
			require.Equal(t, trees[""].leaves[from-1:to], leaves)
		}
	})
}

// busy lets so many events happen to one agreement, and some to others between them.
func busy(l *ledger, events int) {
	l.record(party.Ref("a"), party.Registered{Party: "a", Title: text("A"), Kind: "local-government"}, domain.Meta{Actor: "li.wei"})
	for i := range events {
		l.record(base.Ref(), project.ProgressReported{MilestoneID: milestone("build"), Percent: i % 100}, domain.Meta{Actor: "li.wei"})
		if i%3 == 0 {
			l.record(agreement.ID{Agreement: "another"}.Ref(), agreement.Suspended{}, domain.Meta{Actor: "li.wei"})
		}
	}
}

func TestTreesAcrossTiles(t *testing.T) {
	domaintest.Exhausting(t)
	// given models that followed more events than three tiles hold, a part at a
	// time, and remember no tree from one part to the next
	l, log := inMemory(t)
	busy(l, 800)
	m, err := projections.Open(t.Context(), projections.Options{Dir: t.TempDir(), Ledger: "test", CacheParts: 1})
	require.NoError(t, err)
	defer m.Close()
	for seq := uint64(0); ; seq = min(seq+130, l.seq) {
		stop := follow(t, m, log.until(seq))
		reach(t, m, seq)
		require.NoError(t, stop())
		if seq == l.seq {
			break
		}
	}
	// then they have the trees that are made in one go
	trees := plainTrees(t, log)
	require.NoError(t, m.VerifyTables(t.Context()))
	requireTrees(t, m, trees)
	made, done := fresh(t, log)
	defer done()
	requireTrees(t, made, trees)
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.SampledFrom([]domain.Key{"", base.Agreement, "another"}).Draw(t, "tree")
		size := rapid.IntRange(1, len(trees[of].leaves)).Draw(t, "size")
		requireProofs(t, m, of, trees[of], size, rapid.IntRange(0, size-1).Draw(t, "index"), rapid.IntRange(0, size).Draw(t, "from"))
	})
}

// A tile of the second level is full after 65,536 leaves.
func TestTreesOfThreeLevels(t *testing.T) {
	domaintest.Exhausting(t)
	t.Parallel()
	// given
	const full = 1 << 16
	l, log := inMemory(t)
	quiet := &ledger{tb: nobody{}, versions: l.versions, last: l.last, clock: l.clock, idPrefix: l.idPrefix, write: l.write}
	for i := range full + 300 {
		quiet.record(base.Ref(), project.ProgressReported{MilestoneID: milestone("build"), Percent: i % 2}, domain.Meta{Actor: "li.wei"})
	}
	m, done := fresh(t, log.until(full+10))
	defer done()
	// when the last of them come to models that remember nothing
	follow(t, m, log)
	reach(t, m, quiet.seq)
	// then
	require.NoError(t, m.VerifyTables(t.Context()))
	for of, tree := range plainTrees(t, log) {
		for _, size := range []int{1, 256, 257, full - 1, full, full + 1, full + 256, full + 300} {
			root, err := m.TreeRoot(t.Context(), of, uint64(size))
			require.NoError(t, err)
			require.Equal(t, tree.at(t, size).Hash, root, size)
			for _, index := range []int{0, 255, 256, full - 1, full, full + 299} {
				if index < size {
					requireProofs(t, m, of, tree, size, index, index)
				}
			}
		}
	}
}

func TestQuestionsAboutTreesThatAreRefused(t *testing.T) {
	// given the models of a log that has a party and two agreements
	l, log := inMemory(t)
	busy(l, 9)
	m, done := fresh(t, log)
	defer done()
	ctx, of := t.Context(), base.Agreement
	tree := plainTrees(t, log)[of].at(t, 9)

	refused := func(code string, ask func() error) {
		t.Helper()
		var r *domain.Rejected
		require.ErrorAs(t, ask(), &r)
		assert.Equal(t, code, r.Code)
		assert.NotEmpty(t, r.Message)
	}
	refused(projections.CodeInvalidTreeSize, func() error { _, err := m.TreeRoot(ctx, of, 10); return err })
	refused(projections.CodeInvalidTreeSize, func() error { _, err := m.TreeRoot(ctx, "", l.seq+1); return err })
	refused(projections.CodeInvalidTreeSize, func() error { _, err := m.ProveInclusion(ctx, of, tlog.Tree{N: 10}, 1); return err })
	refused(projections.CodeInvalidTreeSize, func() error { _, err := m.ProveInclusion(ctx, of, tlog.Tree{N: -1}, 1); return err })
	refused(projections.CodeInvalidLeafIndex, func() error { _, err := m.ProveInclusion(ctx, of, tree, 9); return err })
	refused(projections.CodeInvalidTreeSize, func() error { _, err := m.ProveConsistency(ctx, of, 10, tree); return err })
	refused(projections.CodeInvalidTreeSize, func() error { _, err := m.ProveConsistency(ctx, of, 1, tlog.Tree{N: 10}); return err })
	refused(domain.CodeNotFound, func() error { _, err := m.TreeSize(ctx, "nowhere", l.seq); return err })
	refused(domain.CodeNotFound, func() error { _, err := m.TreeSize(ctx, of, 1); return err }) // not yet
	refused(domain.CodeNotFound, func() error { _, err := m.TreeRoot(ctx, "nowhere", 0); return err })
	refused(domain.CodeNotFound, func() error { _, err := m.Leaf(ctx, 0); return err })
	refused(domain.CodeNotFound, func() error { _, err := m.Leaf(ctx, l.seq+1); return err })

	var behind *projections.BehindError
	_, err := m.TreeSize(ctx, "", l.seq+1)
	require.ErrorAs(t, err, &behind)
	_, err = m.Leaves(ctx, 1, l.seq+1)
	require.ErrorAs(t, err, &behind)
	none, err := m.Leaves(ctx, 3, 2)
	require.NoError(t, err)
	assert.Empty(t, none)

	// A tree of another log is no tree of this one, however little is read.
	another := tlog.Tree{N: 9, Hash: tlog.RecordHash([]byte("another"))}
	for _, size := range []int64{0, 1, 9} {
		another.N = size
		wrong := func(err error) {
			t.Helper()
			var e *projections.TreeError
			require.ErrorAs(t, err, &e)
			assert.Equal(t, string(of), e.Tree)
			assert.ErrorContains(t, err, "agreement "+string(of))
		}
		_, err = m.ProveConsistency(ctx, of, 0, another)
		wrong(err)
		_, err = m.ProveConsistency(ctx, of, uint64(size), another)
		wrong(err)
		if size > 0 {
			_, err = m.ProveInclusion(ctx, of, another, 0)
			wrong(err)
		}
	}
	leaf, err := m.Leaf(ctx, 1) // the party's
	require.NoError(t, err)
	assert.Equal(t, projections.LeafOf{Seq: 1, Hash: tlog.RecordHash(log.records[0].Data), EventID: leaf.EventID}, leaf)
	assert.NotEmpty(t, leaf.EventID)
}

func TestAnEditedTreeIsFound(t *testing.T) {
	domaintest.Exhausting(t)
	t.Parallel()
	for name, c := range map[string]struct {
		sql string
		seq uint64 // the first that differs
	}{
		"a leaf":            {"UPDATE event SET leaf = randomblob(32) WHERE seq = 300", 300},
		"a leaf of no tile": {"UPDATE event SET leaf = randomblob(32) WHERE seq = 1000", 1000},
		"a short leaf":      {"UPDATE event SET leaf = substr(leaf, 2) WHERE seq = 300", 300},
		"a leaf's index":    {"UPDATE event SET leaf_index = leaf_index + 1 WHERE seq = 300", 300},
		"a tile's root":     {"UPDATE tile SET root = randomblob(32) WHERE id >> 4 = 512", 512},
		"a tile's hashes":   {"UPDATE tile SET hashes = randomblob(8192) WHERE id >> 4 = 512", 512},
		"a tile's place":    {"UPDATE tile SET n = 9 WHERE id >> 4 = 512", 512},
		"a tile less":       {"DELETE FROM tile WHERE id >> 4 = 512", 512},
		"a tile more":       {"INSERT INTO tile SELECT id + 100, tree, level, 10, root, hashes FROM tile WHERE id >> 4 = 512", 518},
		"another tree's":    {"UPDATE tile SET tree = (SELECT id FROM word WHERE text = 'another') WHERE id >> 4 = 512 AND level = 0", 512},
		"a recorded time":   {"UPDATE event SET recorded_at = recorded_at + 1 WHERE seq = 300", 300},
		"an event's id":     {"UPDATE event SET event_id = 'x' WHERE seq = 300", 300},
		"the position":      {"UPDATE position SET mark = zeroblob(32)", 1068},
	} {
		t.Run(name, func(t *testing.T) {
			// given read models with full tiles, whose file was edited
			l, log := inMemory(t)
			busy(l, 800)
			dir := t.TempDir()
			m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
			require.NoError(t, err)
			_, err = m.Rebuild(t.Context(), log, nil)
			require.NoError(t, err)
			require.NoError(t, m.Close())
			edit(t, dir, c.sql)
			m = models(t, dir, nil)
			// when
			err = m.VerifyTables(t.Context())
			// then the first sequence is named
			var tables *projections.TablesError
			require.ErrorAs(t, err, &tables)
			assert.Equal(t, c.seq, tables.Seq, tables.What)
			// and a rebuild says so, and puts it right
			r, err := m.Rebuild(t.Context(), log, nil)
			require.NoError(t, err)
			assert.False(t, r.Identical)
			require.NoError(t, m.VerifyTables(t.Context()))
			again, err := m.Rebuild(t.Context(), log, nil)
			require.NoError(t, err)
			assert.True(t, again.Identical, again.Finding)
			assert.Equal(t, again.LiveRoot, again.FreshRoot)
			assert.Equal(t, plainTrees(t, log)[""].at(t, int(l.seq)).Hash.String(), again.FreshRoot)
		})
	}
}

// A proof is never made of hashes that were edited.
func TestNoProofFromAnEditedTree(t *testing.T) {
	// given
	l, log := inMemory(t)
	busy(l, 800)
	dir := t.TempDir()
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test"})
	require.NoError(t, err)
	_, err = m.Rebuild(t.Context(), log, nil)
	require.NoError(t, err)
	require.NoError(t, m.Close())
	edit(t, dir, "UPDATE tile SET hashes = randomblob(8192)")
	m = models(t, dir, nil)
	tree := plainTrees(t, log)[""]
	// when
	_, err = m.ProveInclusion(t.Context(), "", tree.at(t, int(l.seq)), 3)
	// then
	var wrong *projections.TreeError
	require.ErrorAs(t, err, &wrong)
	assert.ErrorContains(t, err, "the ledger's")
	// and where that tile is not needed there is one
	requireProofs(t, m, "", tree, int(l.seq), int(l.seq)-1, int(l.seq))
}
