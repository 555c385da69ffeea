package projections_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/agreement"
	"github.com/milepost-ledger/milepost/domain/domaintest"
	"github.com/milepost-ledger/milepost/domain/project"
	"github.com/milepost-ledger/milepost/projections"
)

// Files of another schema are not asked. They are all that there is until new ones
// are complete, for a program that can ask them.
func TestFilesThatCannotBeAskedStayUntilThereAreOthers(t *testing.T) {
	for name, change := range map[string]string{
		"another number":    "",
		"a column less":     "DROP VIEW fund_history; DROP VIEW fund_now; ALTER TABLE fund DROP COLUMN title",
		"an index less":     "DROP INDEX change_field",
		"a table less":      "DROP VIEW tile_read; DROP TABLE tile",
		"a column moved on": "DROP INDEX event_type; CREATE INDEX event_type ON event (type, seq)",
	} {
		t.Run(name, func(t *testing.T) {
			// given
			l, log := inMemory(t)
			l.story()
			dir := formerFiles(t, log, nil)
			former := filepath.Join(dir, fileOf(1))
			if change == "" {
				of := filepath.Join(dir, fmt.Sprintf("read-v%d-000007.db", projections.SchemaVersion-1))
				require.NoError(t, os.Rename(former, of))
				former = of
			} else {
				execute(t, dir, change)
			}
			// when they are opened, and new ones fail
			m := models(t, dir, nil)
			assert.False(t, m.Position().Ready)
			m.Renew(t.Context(), nil) // it is for Follow to make them
			require.Error(t, m.Follow(t.Context(), &watchedLog{log, func(call string) error { return errorIf(call == "read", errors.New("not now")) }}))
			// then they are there
			assert.FileExists(t, former)
			b := m.Build()
			assert.Equal(t, 1, b.Failed)
			assert.ErrorContains(t, b.Err, "not now")
			// until there are new ones
			follow(t, m, log)
			require.Eventually(t, func() bool { return m.Position().Seq == l.seq }, 30*time.Second, time.Millisecond)
			m.Settled()
			assert.NoFileExists(t, former)
			assert.Equal(t, "Framework", title(t, m))
			assert.Len(t, filesIn(t, dir), 1)
		})
	}
}

func projectionIs(version int) string {
	return fmt.Sprintf("UPDATE meta SET value = '%d' WHERE name = 'projection'", version)
}

// What differs in nothing that is asked serves until there are new ones.
func TestFilesOfAnotherSchemaThatCanBeAsked(t *testing.T) {
	for name, change := range map[string]string{
		"a view more, a table more": "CREATE VIEW more AS SELECT 1; CREATE TABLE formerly (n INTEGER); UPDATE meta SET value = 'former' WHERE name = 'schema'; " + projectionIs(projections.ProjectionVersion),
		"no number":                 "DELETE FROM meta WHERE name = 'projection'",
		"of a later version":        projectionIs(projections.ProjectionVersion + 1),
	} {
		t.Run(name, func(t *testing.T) {
			l, log := inMemory(t)
			l.story()
			dir := formerFiles(t, log, nil)
			execute(t, dir, change)
			m := models(t, dir, nil)
			assert.True(t, m.Position().Ready)
			assert.NotEmpty(t, m.Build().Due)
			m.Renew(t.Context(), log)
			assert.Empty(t, m.Build().Due)
			assert.Equal(t, "Framework", title(t, m))
		})
	}
}

func TestAViewOfAFormerVersionServesUntilThereIsANewOne(t *testing.T) {
	// given a view of a former version that serves while it is made anew
	l, log := inMemory(t)
	l.given(domaintest.Running()...)
	l.do(agreement.AddArea{ID: framework, Area: "secrets", Title: text("Secrets")})
	before := l.seq
	view := noSecrets
	dir := formerFiles(t, log, &view)
	m, err := projections.Open(t.Context(), projections.Options{Dir: dir, Ledger: "test", View: &view})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	require.NotEmpty(t, m.Build().Due)
	t.Run("and has shown nothing that is restricted meanwhile", func(t *testing.T) {
		copied := t.TempDir()
		require.NoError(t, os.CopyFS(copied, os.DirFS(dir)))
		m, err := projections.Open(t.Context(), projections.Options{Dir: copied, Ledger: "test", View: &view})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close()) }()
		// when
		m.Renew(t.Context(), log)
		// then
		assert.Empty(t, m.Build().Due)
		assert.Contains(t, projectsIn(t, m), base.Project)
	})
	follow(t, m, log)
	reach(t, m, before)
	under, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var renewing sync.WaitGroup
	renewing.Go(func() {
		m.RenewOnce(t.Context(), &watchedLog{log, func(call string) error {
			if call == "read" {
				once.Do(func() { close(under) })
				<-goOn
			}
			return nil
		}})
	})
	<-under
	require.Contains(t, projectsIn(t, m), base.Project)
	// when what it shows is restricted
	l.do(project.ChangeScope{ID: domaintest.Base, Areas: []domain.Key{"secrets"}})
	// then nothing is answered until it is made anew, and not with what was being made
	var behind *projections.BehindError
	require.Eventually(t, func() bool {
		_, err := m.Project(t.Context(), "framework", "iot-base", projections.Point{Seq: before})
		return errors.As(err, &behind)
	}, 30*time.Second, time.Millisecond)
	close(goOn)
	renewing.Wait()
	reach(t, m, l.seq)
	assert.NotContains(t, projectsIn(t, m), base.Project)
	var b projections.Build
	require.Eventually(t, func() bool { // they answer a moment before their making has ended
		b = m.Build()
		return !b.Running
	}, 10*time.Second, time.Millisecond)
	assert.Empty(t, b.Due)
	assert.Equal(t, "there were no read models", b.Why)
	assert.Equal(t, fmt.Sprint(1, 0), fmt.Sprint(b.Made, b.Failed))
	m.Settled()
	assert.Len(t, filesIn(t, dir), 1)
}
