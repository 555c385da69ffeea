// Milepost is the ledger of strategic cooperation agreements: what was agreed,
// what changed, who changed it and why.
//
// The program is the server (serve, demo), its client (do, show, changes,
// import, status, access, token), and the keeper of the data directory (replay,
// rebuild, repair, backup, restore, bench). What a caller may rely on:
//
//   - Exit code 0 means done, 1 refused or failed, 2 a command line that makes
//     no sense. After 1 or 2 the reason is on standard error, in one line that
//     names the field to blame and the code where there is one.
//   - Standard output carries the answer and nothing else; progress bars and
//     logs go to standard error, bars only when that is a terminal.
//   - With -o json the answer of the server is passed on unchanged.
//   - Interrupted (SIGINT) or told to end (SIGTERM), a server finishes what it
//     has accepted, closes its files and exits with 0; with 1 where something took
//     longer than its grace period and was told to end.
package main

import (
	"io"
	"os"
)

func main() {
	os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// Main runs the program with args, without its name, and returns the exit code.
func Main(args []string, stdin io.Reader, stdout, stderr io.Writer, env func(string) string) int {
	a := &app{in: stdin, out: stdout, err: stderr, env: env}
	root := newRoot(a)
	root.SetArgs(args)
	return a.run(root)
}
