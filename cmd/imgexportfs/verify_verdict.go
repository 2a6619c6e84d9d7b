package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"imgexportfs/bundle/verify"
)

// The verdicts on a bundle; docs/verify.md says what they mean.
const (
	isCurrent     = "current"
	isSound       = "sound"
	isOutdated    = "outdated"
	isDamaged     = "damaged"
	isNoImage     = "no such image"
	isNotCompared = "not compared"
	isUnreadable  = "unreadable"
)

// verdictOrder is that of the summary.
var verdictOrder = []string{isCurrent, isSound, isOutdated, isNoImage, isNotCompared, isDamaged, isUnreadable}

// verdict is what verify says of a bundle, and an object of verify --json.
type verdict struct {
	File    string              `json:"file"`
	Verdict string              `json:"verdict"`
	Image   string              `json:"image"`  // "" if it was not found
	Reason  string              `json:"reason"` // of a verdict that is not good
	Member  string              `json:"member"` // that is damaged; "" if it is not known
	Offset  *int64              `json:"offset"` // of the damage in the file; null if it is not known
	Rows    []string            `json:"rows"`   // that differ
	Members []verify.Difference `json:"members"`
	Foreign bool                `json:"foreign"` // not made by this program
	Notes   []string            `json:"notes"`
}

func newVerdict(path string, r *verify.Result, l *look) *verdict {
	v := &verdict{
		File: path, Image: l.image, Verdict: isSound, Foreign: r.Foreign,
		Rows: r.Rows, Members: r.Differences, Notes: r.Notes,
	}
	if v.Image == "" {
		v.Image = r.Image
	}
	switch {
	case r.Damage != nil:
		v.Verdict, v.Reason, v.Member = isDamaged, r.Damage.Reason, r.Damage.Member
		v.Rows, v.Members = nil, nil
		if r.Damage.Offset >= 0 {
			v.Offset = &r.Damage.Offset
		}
	case l.verdict != "":
		v.Verdict, v.Reason = l.verdict, l.reason
	case r.NotCompared != nil:
		v.Verdict, v.Reason = isNotCompared, r.NotCompared.Error()+"; try again"
	case len(v.Rows)+len(v.Members) > 0:
		v.Verdict, v.Reason = isOutdated, differences(v.Rows, v.Members)
	case r.Compared:
		v.Verdict = isCurrent
		v.addNotes(r, l)
	}
	return v
}

// addNotes says of a current bundle what was not compared.
func (v *verdict) addNotes(r *verify.Result, l *look) {
	if l.scripts {
		v.Notes = append(v.Notes, "made with -p, whose postscripts are not compared")
	}
	if !r.Foreign && !l.samePlan {
		v.Notes = append(v.Notes, "its plan hash differs: another version of the program, or times that differ by less than a second")
	}
}

// differences lists rows and members, not too many of them.
func differences(rows []string, members []verify.Difference) string {
	var names []string
	for _, d := range members {
		names = append(names, fmt.Sprintf("%s (%s)", d.Member, d.What))
	}
	var parts []string
	if len(rows) > 0 {
		parts = append(parts, "rows "+some(rows))
	}
	if len(names) > 0 {
		parts = append(parts, "members "+some(names))
	}
	return strings.Join(parts, "; ")
}

// some is a list of the first names, and how many more there are.
func some(names []string) string {
	const most = 8
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// String is the verdict as a line of text.
func (v *verdict) String() string {
	line := v.File + ": " + v.Verdict
	if v.Verdict == isDamaged {
		damage := verify.Damage{Member: v.Member, Offset: -1, Reason: v.Reason}
		if v.Offset != nil {
			damage.Offset = *v.Offset
		}
		line = v.File + ": " + damage.Error()
	} else if v.Reason != "" {
		line += ": " + v.Reason
	}
	if v.Verdict == isNoImage {
		line += " " + v.Image
	}
	if v.Foreign && v.Verdict != isDamaged {
		line += "; not made by " + programName
	}
	if len(v.Notes) > 0 {
		line += " (" + some(v.Notes) + ")"
	}
	return line
}

// isGood reports whether nothing is to be done about the bundle.
func (v *verdict) isGood() bool { return v.Verdict == isCurrent || v.Verdict == isSound }

// verdicts prints verdicts: lines at once, and JSON at the end.
type verdicts struct {
	w      io.Writer
	json   bool
	list   []*verdict // only for JSON
	counts map[string]int
	faulty bool
}

func (o *verdicts) add(v *verdict) error {
	if o.counts == nil {
		o.counts = map[string]int{}
	}
	o.counts[v.Verdict]++
	o.faulty = o.faulty || !v.isGood()
	if o.json {
		o.list = append(o.list, v.asText())
		return nil
	}
	_, err := fmt.Fprintln(o.w, escaped(v.String()))
	return err
}

// end prints the array, or how many bundles have which verdict.
func (o *verdicts) end() error {
	if o.json {
		w := bufio.NewWriter(o.w)
		if err := newJSONEncoder(w).Encode(o.list); err != nil {
			return err
		}
		return w.Flush()
	}
	var parts []string
	total := 0
	for _, name := range verdictOrder {
		if n := o.counts[name]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, name))
			total += n
		}
	}
	if total < 2 {
		return nil
	}
	_, err := fmt.Fprintf(o.w, "%s: %s\n", counted(total, "bundle"), strings.Join(parts, ", "))
	return err
}

// asText returns the verdict with every name that JSON cannot hold written as in a Go
// string, and with empty lists for none.
func (v *verdict) asText() *verdict {
	text := func(s string) string {
		if utf8.ValidString(s) {
			return s
		}
		return escaped(s)
	}
	all := func(list []string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = text(s)
		}
		return out
	}
	out := *v
	out.File, out.Image, out.Reason, out.Member = text(v.File), text(v.Image), text(v.Reason), text(v.Member)
	out.Rows, out.Notes = all(v.Rows), all(v.Notes)
	out.Members = make([]verify.Difference, len(v.Members))
	for i, d := range v.Members {
		out.Members[i] = verify.Difference{Member: text(d.Member), What: d.What}
	}
	return &out
}
