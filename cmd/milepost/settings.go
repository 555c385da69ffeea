package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// settings lets every flag of a verb be given in three ways, of which the first that
// says something counts: on the command line, in the environment (--listen is
// MILEPOST_LISTEN), and in the file that --config or MILEPOST_CONFIG names. So
// nothing that a flag says is said anywhere else. A flag that may be repeated has
// all its values from one of the three.
//
// The file is lines of a flag's name, without dashes, and its value:
//
//	# the city's ledger
//	listen = :8443
//	tls-cert = /etc/milepost/cert.pem
//	webhook-allow = 10.1.0.0/16
//	webhook-allow = 10.2.0.0/16
//
// A value is all behind the first "=", without the spaces around it. What looks like a
// quoted value, or like a comment behind one, is refused: it would be taken as it
// stands. There is no flag that has a secret, only such as name the file that it is in.
type settings struct {
	app  *app
	cmd  *cobra.Command
	file string
	only []string // flags that are given so, of a verb that reads the settings of serve; nil for all

	lines map[string]*entry // of the file, when settled
}

const settingsHelp = "Every flag can also be given in the environment, as MILEPOST_ and its name (MILEPOST_LISTEN, MILEPOST_TLS_CERT; the values\n" +
	"of one that can be given again are separated by commas), or in the file that --config names, as a line like\n" +
	"\"listen = 127.0.0.1:8080\", without quotes; lines that begin with # say nothing, and nothing else is a comment. The\n" +
	"command line wins over the environment, and that over the file. Secrets are in none of them, only the names of their files."

// settingsOf gives cmd the flag --config. Call it when all other flags are there.
func (a *app) settingsOf(cmd *cobra.Command) *settings {
	s := &settings{app: a, cmd: cmd}
	cmd.Flags().StringVar(&s.file, "config", "", "`file` with values for these flags; see above")
	cmd.Long += "\n\n" + settingsHelp
	return s
}

// serveSettingsOf gives cmd the flag --config, for some flags that it shares with serve:
// what the file says of others is serve's.
func (a *app) serveSettingsOf(cmd *cobra.Command, only ...string) *settings {
	s := &settings{app: a, cmd: cmd, only: only}
	cmd.Flags().StringVar(&s.file, "config", "", "`file` with values for "+strings.Join(dashed(only), ", ")+", as for serve")
	return s
}

// flags are those that can be set, by name.
func (s *settings) flags() map[string]*pflag.Flag {
	known := flagsOf(s.cmd)
	if s.only != nil {
		maps.DeleteFunc(known, func(name string, _ *pflag.Flag) bool { return !slices.Contains(s.only, name) })
	}
	return known
}

// known are the flags that the file may name.
func (s *settings) known() (map[string]*pflag.Flag, error) {
	if s.only == nil {
		return s.flags(), nil
	}
	serve, _, err := s.cmd.Root().Find([]string{"serve"})
	if err != nil {
		return nil, err
	}
	known := flagsOf(serve)
	maps.Copy(known, s.flags())
	return known, nil
}

func flagsOf(cmd *cobra.Command) map[string]*pflag.Flag {
	flags := map[string]*pflag.Flag{"data": cmd.Flag("data")}
	cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name != "help" && f.Name != "config" {
			flags[f.Name] = f
		}
	})
	return flags
}

func dashed(names []string) (flags []string) {
	for _, name := range names {
		flags = append(flags, "--"+name)
	}
	return flags
}

// variable is the name that a flag has in the environment.
func variable(flag string) string {
	return "MILEPOST_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// settle sets what the command line left open.
func (s *settings) settle() error {
	open := s.flags()
	for name, f := range open {
		if f.Changed {
			delete(open, name)
		}
	}
	for name, f := range open {
		if value := s.app.env(variable(name)); value != "" {
			delete(open, name)
			if err := set(f, variable(name), splitIf(repeated(f), value)); err != nil {
				return err
			}
		}
	}
	if s.file == "" {
		s.file = s.app.env(variable("config"))
	}
	if s.file == "" {
		return nil
	}
	lines, err := s.read()
	if err != nil {
		return err
	}
	s.lines = lines
	for name, l := range lines {
		if f := open[name]; f != nil {
			if err := set(f, l.at, l.values); err != nil {
				return err
			}
		}
	}
	return nil
}

// forServe is what the environment or the file says to serve of a flag that the verb
// has not, and where; "" for nothing.
func (s *settings) forServe(name string) (value, at string) {
	if value := s.app.env(variable(name)); value != "" {
		return value, variable(name)
	}
	if l := s.lines[name]; l != nil {
		return l.values[0], l.at
	}
	return "", ""
}

// likeComment is in a value what other files have a comment begin with.
var likeComment = regexp.MustCompile(`(^|\s)#`)

// entry is what the file says of a flag.
type entry struct {
	at     string // the place of the first value
	values []string
}

// read reads the file, and checks also what something else has set.
func (s *settings) read() (map[string]*entry, error) {
	file, err := os.Open(s.file)
	if err != nil {
		return nil, fmt.Errorf("--config: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	known, err := s.known()
	if err != nil {
		return nil, err
	}
	found := map[string]*entry{}
	lines := bufio.NewScanner(file)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := fmt.Sprintf("%s:%d", s.file, n)
		name, value, ok := strings.Cut(line, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		f := known[name]
		switch {
		case !ok:
			return nil, usagef("%s: want a line such as listen = 127.0.0.1:8080", at) // what stands there may be a secret
		case f == nil:
			return nil, usagef("%s: there is no setting %q%s", at, name, alike(name, known))
		case value == "":
			return nil, usagef("%s: %s has no value: give it one, or leave the line out", at, name)
		case strings.ContainsRune("\"'", rune(value[0])):
			return nil, usagef("%s: the value of %s begins with a quote, which would be a part of it: leave the quotes out", at, name)
		case likeComment.MatchString(value):
			return nil, usagef("%s: the value of %s has a # at its beginning or behind a space: what is a comment goes on a line of its own, what is not is given on the command line or as %s", at, name, variable(name))
		case found[name] == nil:
			found[name] = &entry{at: at + ": " + name}
		case !repeated(f):
			return nil, usagef("%s: %s is given again: leave one of the lines out", at, name)
		}
		found[name].values = append(found[name].values, value)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("--config: %s: %w", s.file, err)
	}
	return found, nil
}

// repeated says whether a flag may be given more than once.
func repeated(f *pflag.Flag) bool {
	_, ok := f.Value.(pflag.SliceValue)
	return ok
}

func splitIf(list bool, value string) []string {
	if !list {
		return []string{value}
	}
	values := strings.Split(value, ",")
	for i := range values {
		values[i] = strings.TrimSpace(values[i])
	}
	return values
}

// set gives a flag values, as the command line would.
func set(f *pflag.Flag, at string, values []string) error {
	for _, value := range values {
		if err := f.Value.Set(value); err != nil {
			return usagef("%s: %q cannot be its value: %w", at, value, wanted(f, err))
		}
	}
	f.Changed = true
	return nil
}

// misspelt says of each variable of the environment that begins with MILEPOST_ and is
// none of the program's which one it is spelt like, where there is one: it would have no
// effect, and nobody would know.
func (s *settings) misspelt(environ []string) (warnings []string) {
	known := s.flags()
	for _, name := range []string{"server", "token", "actor", "config"} {
		known[name] = nil
	}
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		flag, ours := strings.CutPrefix(name, "MILEPOST_")
		flag = strings.ToLower(strings.ReplaceAll(flag, "_", "-"))
		if _, is := known[flag]; !ours || is {
			continue
		}
		if like := nearest(flag, known); like != "" {
			warnings = append(warnings, fmt.Sprintf("%s is no setting and has no effect; did you mean %s?", name, variable(like)))
		}
	}
	return warnings
}

// alike says which flag is spelt most like a name, or where they are listed.
func alike(name string, flags map[string]*pflag.Flag) string {
	if best := nearest(name, flags); best != "" {
		return "; did you mean " + best + "?"
	}
	return "; milepost serve --help lists them"
}

// nearest is the flag that is spelt most like a name, "" where none is.
func nearest(name string, flags map[string]*pflag.Flag) string {
	best, least := "", (len(name)+2)/3 // a third of its letters
	for _, other := range slices.Sorted(maps.Keys(flags)) {
		if d := distance(name, other); d <= least && (best == "" || d < least) {
			best, least = other, d
		}
	}
	return best
}

// distance is how many letters must be changed, put in or left out to make a of b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := before
			if a[i] != b[j] {
				d++
			}
			before = row[j+1]
			row[j+1] = min(d, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
