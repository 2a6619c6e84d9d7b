package main

import (
	"fmt"
	"io"
	"log/slog"

	"github.com/urfave/cli/v2"

	"imgexportfs/fs"
)

// logFlags are the flags that say what a mount logs, where and how.
type logFlags struct {
	file    string // "" is standard error
	format  logFormat
	level   logLevel
	verbose bool
	debug   bool
}

func newLogFlags() logFlags { return logFlags{format: textLog} }

func (f *logFlags) forCommand() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "log-file", Usage: "append the log to `FILE`, which SIGHUP opens again", Destination: &f.file},
		&cli.GenericFlag{Name: "log-format", Usage: "`FORMAT`: text or json", Value: &f.format},
		&cli.GenericFlag{Name: "log-level", Usage: "`LEVEL`: log from this one on: debug, info, warn or error", Value: &f.level},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "the same as --log-level debug", DisableDefaultText: true, Destination: &f.verbose},
		&cli.BoolFlag{Name: "debug", Usage: "log every request of the kernel", DisableDefaultText: true, Destination: &f.debug},
	}
}

// open returns a logger that writes to w, and to the journal from info on.
func (f *logFlags) open(w io.Writer, journal *fs.Journal) *slog.Logger {
	level := slog.Level(f.level)
	if f.verbose || f.debug {
		level = slog.LevelDebug
	}
	options := &slog.HandlerOptions{Level: level}
	var handler slog.Handler = slog.NewTextHandler(terminalSafe{w}, options)
	if f.format == jsonLog {
		handler = slog.NewJSONHandler(terminalSafe{w}, options)
	}
	return slog.New(slog.NewMultiHandler(handler, slog.NewTextHandler(terminalSafe{journal}, nil)))
}

// logFormat is the value of --log-format.
type logFormat string

const (
	textLog logFormat = "text"
	jsonLog logFormat = "json"
)

// Set reads a format.
func (f *logFormat) Set(text string) error {
	if format := logFormat(text); format == textLog || format == jsonLog {
		*f = format
		return nil
	}
	return fmt.Errorf("unknown format; there are %s and %s", textLog, jsonLog)
}

// String is the format's name.
func (f *logFormat) String() string { return string(*f) }

// logLevel is the value of --log-level.
type logLevel slog.Level

var logLevels = map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

// Set reads a level.
func (l *logLevel) Set(text string) error {
	level, known := logLevels[text]
	if !known {
		return fmt.Errorf("unknown level; there are debug, info, warn and error")
	}
	*l = logLevel(level)
	return nil
}

// String is the level's name.
func (l *logLevel) String() string {
	for name, level := range logLevels {
		if level == slog.Level(*l) {
			return name
		}
	}
	return ""
}
