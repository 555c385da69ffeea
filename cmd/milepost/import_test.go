package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Whoever ends an import is told that some of it may be done, and what to do.
func TestAnInterruptedImportSaysWhatToDo(t *testing.T) {
	asked, answer := make(chan bool, 1), make(chan bool)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- true
		<-answer
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(answer) })
	for name, flags := range map[string][]string{"commands.jsonl": nil, "plan.csv": {"--agreement", "pact"}} {
		t.Run(name, func(t *testing.T) {
			// given an import that the server has not answered yet
			file := filepath.Join(t.TempDir(), name)
			require.NoError(t, os.WriteFile(file, []byte("x\n"), 0o600))
			cmd := exec.Command(asProgram(t), append([]string{"import", "--server", server.URL, file}, flags...)...)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			require.NoError(t, cmd.Start())
			select {
			case <-asked:
			case <-time.After(30 * time.Second):
				t.Error("the server was not asked")
			}
			// when it is interrupted
			require.NoError(t, cmd.Process.Signal(os.Interrupt))
			// then it says so
			require.Error(t, cmd.Wait())
			assert.Equal(t, exitFailed, cmd.ProcessState.ExitCode())
			assert.Equal(t, "milepost: interrupted: what was sent may be in the ledger; import the same file again, which adds only what is missing\n", errs.String())
		})
	}
}
