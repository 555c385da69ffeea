package main

import (
	"io"
	"log/slog"
	"os"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/milepost-ledger/milepost/cmd/internal/logs"
)

// Forms of the log.
const (
	logAuto = "auto"
	logText = "text"
	logJSON = "json"
)

// logging says what a server logs, and how.
type logging struct {
	format, level string
	verbose       bool
}

func (l *logging) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&l.format, "log-format", logAuto, "`form` of the log on standard error: json, text, or auto: text on a terminal, else json")
	flags.StringVar(&l.level, "log-level", "warn", "`level` from which on lines are logged: debug, info (each request), warn or error")
	flags.BoolVar(&l.verbose, "verbose", false, "log every request: --log-level info")
	complete(cmd, "log-format", logAuto, logText, logJSON)
	complete(cmd, "log-level", "debug", "info", "warn", "error")
}

// logger makes the logger that the flags ask for.
func (l *logging) logger(to io.Writer) (*slog.Logger, error) {
	var level slog.Level
	switch l.level {
	case "debug", "info", "warn", "error":
		_ = level.UnmarshalText([]byte(l.level)) // it reads these
	default:
		return nil, usagef("--log-level %s: want debug, info, warn or error", l.level)
	}
	if l.verbose {
		level = min(level, slog.LevelInfo)
	}
	format := l.format
	if format == logAuto {
		format = logJSON
		if isTerminal(to) {
			format = logText
		}
	}
	options := &slog.HandlerOptions{Level: level}
	switch format {
	case logText:
		return logs.Scoped(slog.New(slog.NewTextHandler(to, options))), nil
	case logJSON:
		return logs.Scoped(slog.New(slog.NewJSONHandler(to, options))), nil
	}
	return nil, usagef("--log-format %s: want auto, text or json", l.format)
}

func isTerminal(to io.Writer) bool {
	f, ok := to.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// logger is that of a verb which people watch: warnings, as text.
func (a *app) logger() *slog.Logger {
	return logs.Scoped(slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
}
