package fs

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// errNotOffered says that an image has no such file at present.
var errNotOffered = errors.New("not offered")

// inodes hands out inode numbers; none is ever used twice, so none ever
// stands for other bytes. 1 is the root's.
type inodes struct{ last atomic.Uint64 }

func newInodes() *inodes {
	i := &inodes{}
	i.last.Store(1)
	return i
}

// take returns the first of n numbers in a row.
func (i *inodes) take(n int) uint64 { return i.last.Add(uint64(n)) - uint64(n) + 1 }

// The inode numbers of a version count from its first one.
const (
	inoBundle = iota
	inoChecksum
	inoErrors
	inoMembers // as many as there are members
)

// version is one state of an image. It does not change.
type version struct {
	export      *xcat.Export
	fingerprint [32]byte
	bundle      *bundle.Bundle // nil if there is none to offer
	members     []bundle.Member
	problems    []xcat.Message
	withdrawn   bool             // the bundle could not be read, which may pass
	ino         uint64           // the first of its inode numbers
	memberIndex map[string]int   // by name
	children    map[string][]int // by name of the directory; "" is the top
}

// newVersion makes a version of what the export found, whose fingerprint the
// caller has. Trouble with the
// sources, as far as it shows by now, makes one without a bundle.
func newVersion(engine *bundle.Engine, numbers *inodes, export *xcat.Export, fingerprint [32]byte) *version {
	v := &version{
		export:      export,
		fingerprint: fingerprint,
		members:     export.Members,
		problems:    export.Problems(),
		ino:         numbers.take(inoMembers + len(export.Members)),
	}
	if !export.Refused {
		b, err := engine.NewBundle(context.TODO(), export.Name, export.Members)
		if err != nil {
			v = v.without(err)
		} else {
			v.bundle, v.members = b, b.Members()
		}
	}
	v.memberIndex = make(map[string]int, len(v.members))
	v.children = map[string][]int{}
	for i, m := range v.members {
		v.memberIndex[m.Name] = i
		parent := ""
		if slash := strings.LastIndexByte(m.Name, '/'); slash >= 0 {
			parent = m.Name[:slash]
		}
		v.children[parent] = append(v.children[parent], i)
	}
	return v
}

// without is the version after its bundle has turned out not to be readable.
func (v *version) without(err error) *version {
	w := *v
	w.bundle, w.withdrawn = nil, true
	w.problems = append(append([]xcat.Message(nil), v.problems...), xcat.Message{
		Level: xcat.Error,
		Text:  "Couldn't read the files of " + v.export.Image + ": " + err.Error(),
	})
	return &w
}

// broken reports whether another version of the same sources is called for:
// because its sizes were wrong, or because reading failed and may not any more.
func (v *version) broken() bool { return v.withdrawn || v.bundle != nil && v.bundle.Broken() }

// fingerprint tells a version from the next one.
func fingerprint(export *xcat.Export) [32]byte {
	var b strings.Builder
	for _, p := range export.Problems() {
		b.WriteString(problemLine(p))
	}
	problems, err := bundle.NewRegular("problems", 0, time.Time{}, bundle.Bytes(b.String()))
	if err != nil {
		panic(err) // the name is a constant
	}
	return bundle.Fingerprint(export.Name, append([]bundle.Member{problems}, export.Members...))
}

// modTime is the newest time in the version.
func (v *version) modTime() time.Time {
	if v.bundle != nil {
		return v.bundle.ModTime()
	}
	return bundle.Newest(v.members)
}

// memberTime is the time of member m.
func (v *version) memberTime(m bundle.Member) time.Time {
	if m.ModTime.IsZero() {
		return v.modTime()
	}
	return m.ModTime
}

// problemLine is a problem as a line of NAME.errors and of imgexport's
// standard error.
func problemLine(p xcat.Message) string {
	text := strings.ReplaceAll(p.Text, "\n", `\n`)
	if p.Level == xcat.Warning {
		return "Warning: " + text + "\n"
	}
	return "Error: " + text + "\n"
}

// errorsText is the content of NAME.errors; "" if there is no such file.
func errorsText(problems []xcat.Message) string {
	var b strings.Builder
	for _, p := range problems {
		b.WriteString(problemLine(p))
	}
	return b.String()
}

// asBrief is the version as a listing sees it.
func (v *version) asBrief() *xcat.Export {
	brief := *v.export
	brief.Messages = v.problems
	brief.Refused = v.bundle == nil
	return &brief
}
