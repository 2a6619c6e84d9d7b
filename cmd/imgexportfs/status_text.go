package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"imgexportfs/fs"
)

// namesShown is how many names of images are printed at most for one reason.
const namesShown = 8

// printStatus prints one paragraph for each mount: the mount and its state, then lines
// of a label and what it says. Text of a database or a host is always escaped.
func printStatus(w io.Writer, all []mountStatus, now time.Time) error {
	var b strings.Builder
	for i, s := range all {
		if i > 0 {
			b.WriteByte('\n')
		}
		line := func(label, format string, args ...any) {
			fmt.Fprintf(&b, "  %-9s %s\n", label, escaped(fmt.Sprintf(format, args...)))
		}
		fmt.Fprintf(&b, "%s: %s\n", escaped(s.Mount), s.State)
		if s.Report == nil {
			line("error", "%s", s.Error)
			line("next", "%s", nextStep(s))
			continue
		}
		printReport(line, *s.Report, now)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// nextStep says what to do with a mount that has no report.
func nextStep(s mountStatus) string {
	switch s.State {
	case stateDead:
		return fmt.Sprintf("%s umount %s, then mount again", programName, s.Mount)
	case stateHanging:
		return fmt.Sprintf("look at the log of its process; if it stays so, %s umount %s and mount again", programName, s.Mount)
	}
	return "ask as the user who has mounted it; a mount of an older version has no report"
}

func printReport(line func(label, format string, args ...any), r fs.Report, now time.Time) {
	line("program", "%s, process %d, mounted %s ago", r.Version, r.PID, age(now.Sub(r.Mounted)))
	line("site", "%s, root %s", r.Database, r.Root)
	if r.Error != "" {
		line("database", "%s", r.Error)
		if r.Since != nil && r.Retry != nil {
			line("", "for %s; the next look is in %s", age(now.Sub(*r.Since)), age(r.Retry.Sub(now)))
		}
	}
	line("rows", "read %s ago, checked %s ago", age(now.Sub(r.Read)), age(now.Sub(r.Looked)))
	good := r.Images - len(r.Refused) - len(r.Problems) - r.Unknown
	images := fmt.Sprintf("%d: %d good, %d with problems, %d refused", r.Images, good, len(r.Problems), len(r.Refused))
	if r.Unknown > 0 {
		images += fmt.Sprintf(", %d not looked at yet", r.Unknown)
	}
	line("images", "%s", images)
	printNames(line, "refused", r.Refused)
	printNames(line, "problems", r.Problems)
	for i, s := range r.Sizing {
		line(onlyFirst(i, "sizing"), "%s", sizingText(s))
	}
	if r.Queued > 0 {
		line(onlyFirst(len(r.Sizing), "sizing"), "%s to come", counted(r.Queued, "bundle"))
	}
	line("readers", "%d", r.Readers)
	line("memory", "%s of %s for segments, %s in all", byteSize(r.Memory.Used), byteSize(r.Memory.Budget), byteSize(r.Memory.Resident))
	if r.Cache.Directory == "" {
		line("cache", "no segments are cached on disk")
		return
	}
	line("cache", "%s of %s in %s", byteSize(r.Cache.Used), byteSize(r.Cache.Limit), r.Cache.Directory)
	if r.Cache.Failed > 0 {
		line("", "%s could not be written; the log says why", counted(int(r.Cache.Failed), "segment"))
	}
}

func printNames(line func(label, format string, args ...any), label string, names []string) {
	if len(names) == 0 {
		return
	}
	more := ""
	if len(names) > namesShown {
		names, more = names[:namesShown], fmt.Sprintf(" and %d more", len(names)-namesShown)
	}
	line(label, "%s%s; see their .errors files", strings.Join(names, ", "), more)
}

func sizingText(s fs.Sizing) string {
	percent := int64(0)
	if s.Total > 0 {
		percent = int64(100 * float64(s.Done) / float64(s.Total))
	}
	text := fmt.Sprintf("%s: %d%% of %s", s.Bundle, percent, byteSize(s.Total))
	if s.Left > 0 {
		text += fmt.Sprintf(", about %s left", age(time.Duration(s.Left*float64(time.Second))))
	}
	return text
}

// onlyFirst is the label of line i of several.
func onlyFirst(i int, label string) string {
	if i > 0 {
		return ""
	}
	return label
}

// age is a duration as a person says it: two units at most.
func age(d time.Duration) string {
	d = max(d, 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days", int(d.Hours())/24)
}
