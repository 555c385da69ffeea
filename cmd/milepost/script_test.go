package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/milepost-ledger/milepost/cmd/internal/signing"
	"github.com/milepost-ledger/milepost/domain"
	"github.com/milepost-ledger/milepost/domain/access"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"milepost": main, "reader": reader})
}

// quickExit is in the environment of each program that a test starts: under the
// race detector every one of them would sleep for a second at its end.
const quickExit = "GORACE=atexit_sleep_ms=0"

// TestScripts runs the program as its users do. Beside testscript's own
// commands, the scripts have
//
//	serve [flags]          start milepost serve on ./data and a free port, and wait until it is ready; its clients find
//	                       the administrator's token there, by MILEPOST_DATA
//	demo [flags]           the same with milepost demo; what it prints up to there is in ./demo.out
//	shutdown [TERM|KILL]   end it by SIGINT or the signal named; it must exit with 0 unless killed
//	refused CODE args...   milepost refuses with that code, exit code 1, and the log does not grow
//	usage args...          milepost exits with 2
//	tamper DIR             change a value in the read models' file
//	flip DIR TEXT          flip a bit of TEXT in the files of the log or the evidence below DIR
//	keypair VAR NAME       make a key pair of that name; $VAR is its verifier key
//	register PARTY FILE    register the key in FILE, as milepost key new made it, as the party's witness
//	handover VAR OLD NEW   let $OLD sign that $NEW replaces it; $VAR is the statement
//	rows FILE SQL WANT...  the file's first column by that query
//	digest FILE            write "last_seq digest" of the ledger, once all of it is shown, to FILE
//	natsserver VAR         start a NATS server; $VAR is its address, with a user and the password "secret"
//	streams URL NAME...    the streams that a NATS server has
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Files:               scripts(t),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, "TMPDIR="+env.WorkDir+"/tmp", "TZ=UTC", "LANG=C", "MILEPOST_ACTOR=tester", "MILEPOST_DATA="+env.WorkDir+"/data", quickExit, "CORPUS="+os.Getenv("MILEPOST_CORPUS"))
			env.Vars = append(env.Vars, "HASH="+benchHash, "OTHER="+strings.Repeat("0", 64))
			env.Values[runningKey{}], env.Values[signersKey{}], env.Values[spyKey{}] = &running{}, map[string]note.Signer{}, &spying{}
			setup, err := os.ReadFile("testdata/setup.jsonl")
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(env.WorkDir, "setup.jsonl"), setup, 0o600); err != nil {
				return err
			}
			return os.Mkdir(filepath.Join(env.WorkDir, "tmp"), 0o700)
		},
		Condition: func(cond string) (bool, error) {
			if cond == "corpus" {
				return os.Getenv("MILEPOST_CORPUS") != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: with(signInCmds, map[string]func(*testscript.TestScript, bool, []string){
			"serve": func(ts *testscript.TestScript, _ bool, args []string) {
				start(ts, readyLine, append([]string{"serve", "--data", "data", "--listen", "127.0.0.1:0"}, args...))
			},
			"demo": func(ts *testscript.TestScript, _ bool, args []string) {
				start(ts, regexp.MustCompile(`(?s)address +(http://\S+)\n.*data +(\S+).*Ctrl-C ends the demo.\n`), append([]string{"demo"}, args...))
			},
			"shutdown": shutdown,
			"refused":  refused,
			"usage":    usage,
			"tamper":   tamper,
			"flip":     flip,
			"keypair":  keypair,
			"handover": handover,
			"register": register,
			"tokenkey": tokenKey,
			"rows":     rows,

			"natsserver": natsServer,
			"streams":    streams,
			"digest": func(ts *testscript.TestScript, _ bool, args []string) {
				seq := strconv.FormatUint(status(ts).LastSeq, 10)
				if _, stderr, code := milepost(ts, "show", "parties", "--min-seq", seq); code != exitDone {
					ts.Fatalf("%s", stderr)
				}
				s := status(ts)
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), fmt.Appendf(nil, "%d %s\n", s.LastSeq, s.Digest), 0o600))
			},
		}),
	})
}

// with adds commands to others.
func with[M map[K]V, K comparable, V any](more, to M) M {
	maps.Copy(to, more)
	return to
}

var readyLine = regexp.MustCompile(`^milepost: ledger \S+ ready on (https?://\S+) \(pid \d+\)\n$`)

// running is the server of a script, if one runs.
type running struct {
	cmd    *exec.Cmd
	stderr strings.Builder // read only when the process has ended
	drain  chan struct{}   // closed when its standard output has ended
	pipe   io.ReadCloser
}

type runningKey struct{}

// start runs a server and waits until what it prints matches ready, whose first
// group is where it is; MILEPOST_SERVER and ADDRESS say so from then on.
func start(ts *testscript.TestScript, ready *regexp.Regexp, args []string) {
	r := ts.Value(runningKey{}).(*running)
	*r = running{drain: make(chan struct{})}
	r.cmd = exec.Command(program(ts), args...)
	r.cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TZ", "LANG", "MILEPOST_ACTOR"} {
		r.cmd.Env = append(r.cmd.Env, name+"="+ts.Getenv(name))
	}
	r.cmd.Env = append(r.cmd.Env, quickExit)
	r.cmd.Stderr = &r.stderr
	pipe, err := r.cmd.StdoutPipe()
	ts.Check(err)
	r.pipe = pipe
	ts.Check(r.cmd.Start())
	ts.Defer(func() { r.end(os.Kill) })
	out := bufio.NewReader(pipe)
	var printed strings.Builder
	for {
		line, err := out.ReadString('\n')
		printed.WriteString(line)
		if m := ready.FindStringSubmatch(printed.String()); m != nil {
			ts.Setenv("MILEPOST_SERVER", m[1])
			address, err := url.Parse(m[1])
			ts.Check(err)
			ts.Setenv("ADDRESS", address.Host)
			ts.Setenv("PORT", address.Port())
			if len(m) > 2 {
				ts.Setenv("MILEPOST_DATA", ts.MkAbs(m[2]))
			}
			break
		}
		if err != nil {
			_ = r.cmd.Wait()
			ts.Fatalf("milepost %s ended before it was ready:\n%s%s", args, printed.String(), r.stderr.String())
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(printed.String()), 0o600))
	go func() {
		defer close(r.drain)
		rest, _ := io.ReadAll(out)
		if len(rest) > 0 {
			r.stderr.WriteString("more on standard output: " + string(rest))
		}
	}()
}

// end signals the process and waits for it; it returns its error.
func (r *running) end(signal os.Signal) error {
	if r.cmd == nil {
		return nil
	}
	_ = r.cmd.Process.Signal(signal) // it may have ended by itself, which Wait tells
	<-r.drain
	err := r.cmd.Wait()
	r.cmd = nil
	return err
}

func shutdown(ts *testscript.TestScript, _ bool, args []string) {
	signal := map[string]syscall.Signal{"": syscall.SIGINT, "TERM": syscall.SIGTERM, "KILL": syscall.SIGKILL}[strings.Join(args, "")]
	r := ts.Value(runningKey{}).(*running)
	if r.cmd == nil {
		ts.Fatalf("nothing runs")
	}
	if err := r.end(signal); err != nil && signal != syscall.SIGKILL {
		ts.Fatalf("not a clean stop: %v\n%s", err, r.stderr.String())
	}
	if log := r.stderr.String(); log != "" {
		ts.Logf("%s", log)
		if signal != syscall.SIGKILL && (strings.Contains(log, `"level":"ERROR"`) || strings.Contains(log, "level=ERROR")) {
			ts.Fatalf("the server logged errors")
		}
	}
}

func refused(ts *testscript.TestScript, _ bool, args []string) {
	before := status(ts).LastSeq
	_, stderr, code := milepost(ts, args[1:]...)
	if code != exitFailed {
		ts.Fatalf("exit code %d, want %d: %s", code, exitFailed, stderr)
	}
	if !strings.Contains(stderr, "(code "+args[0]) {
		ts.Fatalf("not refused with code %s: %s", args[0], stderr)
	}
	if after := status(ts).LastSeq; after != before {
		ts.Fatalf("refused, but the log went on from %d to %d", before, after)
	}
}

func usage(ts *testscript.TestScript, _ bool, args []string) {
	stdout, stderr, code := milepost(ts, args...)
	if code != exitUsage || stdout != "" || !strings.HasPrefix(stderr, "milepost: ") {
		ts.Fatalf("exit code %d, want %d with the reason on standard error:\n%s%s", code, exitUsage, stdout, stderr)
	}
}

// statusOf is what the scripts need of milepost status.
type statusOf struct {
	LastSeq      uint64 `json:"last_seq"`
	Digest       string `json:"digest"`
	ProjectedSeq uint64 `json:"projected_seq"`
}

func status(ts *testscript.TestScript) statusOf {
	stdout, stderr, code := milepost(ts, "status", "-o", "json")
	var s statusOf
	if err := json.Unmarshal([]byte(stdout), &s); err != nil || code != exitDone {
		ts.Fatalf("status: exit code %d, %v: %s%s", code, err, stdout, stderr)
	}
	return s
}

// milepost runs a verb to its end.
func milepost(ts *testscript.TestScript, args ...string) (stdout, stderr string, code int) {
	var out, errs strings.Builder
	cmd := exec.Command(program(ts), args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = []string{"MILEPOST_SERVER=" + ts.Getenv("MILEPOST_SERVER"), "MILEPOST_DATA=" + ts.Getenv("MILEPOST_DATA"), "MILEPOST_ACTOR=" + ts.Getenv("MILEPOST_ACTOR"), "TZ=UTC", quickExit}
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		ts.Fatalf("%v", err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// signersKey finds the signers of a script by their verifier keys.
type signersKey struct{}

func keypair(ts *testscript.TestScript, _ bool, args []string) {
	private, public, err := note.GenerateKey(rand.Reader, args[1])
	ts.Check(err)
	signer, err := note.NewSigner(private)
	ts.Check(err)
	ts.Value(signersKey{}).(map[string]note.Signer)[public] = signer
	ts.Setenv(args[0], public)
}

// register has a party register the public half of the key in a file.
func register(ts *testscript.TestScript, _ bool, args []string) {
	key, err := signing.ReadKey(ts.MkAbs(args[1]))
	ts.Check(err)
	if _, stderr, code := milepost(ts, "do", "register-witness", "--party", args[0], "--key", key.Public); code != exitDone {
		ts.Fatalf("%s", stderr)
	}
}

// tokenKey sets variables to the key and the secret of the token in a file.
func tokenKey(ts *testscript.TestScript, _ bool, args []string) {
	token := strings.TrimSpace(ts.ReadFile(args[2]))
	key, _, ok := access.ParseToken(token)
	if !ok {
		ts.Fatalf("that is no token")
	}
	ts.Setenv(args[0], string(key))
	ts.Setenv(args[1], strings.TrimPrefix(token, "mp_"+string(key)+"_"))
}

func handover(ts *testscript.TestScript, _ bool, args []string) {
	old, next := ts.Getenv(args[1]), ts.Getenv(args[2])
	signer := ts.Value(signersKey{}).(map[string]note.Signer)[old]
	signed, err := note.Sign(&note.Note{Text: domain.RotationText(domain.VerifierKey(old), domain.VerifierKey(next))}, signer)
	ts.Check(err)
	ts.Setenv(args[0], string(signed))
}

func tamper(ts *testscript.TestScript, _ bool, args []string) {
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "read-*.db"))
	ts.Check(err)
	conn, err := sqlite.OpenConn(files[0], sqlite.OpenReadWrite)
	ts.Check(err)
	ts.Check(sqlitex.ExecuteTransient(conn, "UPDATE milestone SET weight = weight + 1", nil))
	if conn.Changes() == 0 {
		ts.Fatalf("nothing was changed")
	}
	ts.Check(conn.Close())
}

func flip(ts *testscript.TestScript, _ bool, args []string) {
	flipped := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".blk" {
			return err
		}
		b, err := os.ReadFile(path)
		at := bytes.Index(b, []byte(args[1]))
		if err != nil || at < 0 {
			return err
		}
		b[at] ^= 1
		flipped++
		return os.WriteFile(path, b, 0o600)
	}))
	if flipped != 1 {
		ts.Fatalf("%q is in %d files", args[1], flipped)
	}
}

func rows(ts *testscript.TestScript, _ bool, args []string) {
	conn, err := sqlite.OpenConn(ts.MkAbs(args[0]), sqlite.OpenReadOnly)
	ts.Check(err)
	got := []string{}
	ts.Check(sqlitex.ExecuteTransient(conn, args[1], &sqlitex.ExecOptions{ResultFunc: func(stmt *sqlite.Stmt) error {
		got = append(got, stmt.ColumnText(0))
		return nil
	}}))
	ts.Check(conn.Close())
	if !slices.Equal(got, args[2:]) {
		ts.Fatalf("%s gives %q, want %q", args[1], got, args[2:])
	}
}

// program is this test binary, as testscript put it into the script's path.
func program(ts *testscript.TestScript) string {
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(filepath.ListSeparator)) {
		if p := filepath.Join(dir, "milepost"); exists(p) {
			return p
		}
	}
	ts.Fatalf("no milepost in the path")
	return ""
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// besides are the scripts in which a server does several things at a time.
var besides = []string{"backup", "bench", "demo", "import", "rebuild", "replay", "serve", "subscriber", "webhook"}

// scripts are those that are run: for the race detector those that may have something
// for it, as with it each verb takes seconds.
func scripts(t *testing.T) (files []string) {
	t.Helper()
	all, err := filepath.Glob("testdata/script/*.txtar")
	require.NoError(t, err)
	if !testing.Short() {
		return all
	}
	for _, name := range besides {
		file := filepath.Join("testdata/script", name+".txtar")
		require.Contains(t, all, file)
		files = append(files, file)
	}
	t.Logf("%d of %d scripts: the others have one thing at a time", len(files), len(all))
	return files
}
