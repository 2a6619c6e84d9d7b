package xcat

import (
	"context"
	"errors"
	"fmt"
	"path"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
	"imgexportfs/tablesdump"
)

// Request says what to export.
type Request struct {
	Image       string            // as the tables spell it, or a name that the database takes for equal
	Node        string            // noderange of -p, whose first node's postscripts are exported; "" is none
	Extras      []string          // the arguments of -e, as given: FILE or FILE:DIRECTORY
	Destination string            // what the first message says the image is exported to
	Scripts     map[string]string // the elements postscripts and postbootscripts, in place of those of a node
	Shallow     bool              // don't walk the tree of a statelite image: rootimgtree.gz will be missing from Members

	// Tree returns the tree NAME below a directory as bundle.NewTree does, which
	// is called if Tree is nil. Exports for several nodes can share one tree.
	Tree func(ctx context.Context, dir, name string) (*bundle.Tree, source.Findings, error)
}

// Export is what imgexport would make of an image, and what it would say.
type Export struct {
	Image    string          // as the tables spell it
	Name     string          // see BundleName: the bundle's top directory
	Members  []bundle.Member // what was found, also when refused; then without generated members such as the manifest
	Messages []Message       // in imgexport's order
	Refused  bool            // there is no bundle; an Error says why

	// TreeRefused says that the tree of a statelite image is a reason for that, which
	// a Shallow export does not find.
	TreeRefused bool

	// Unreadable says which file could not be looked at or read, and why, where
	// that may pass; nil if there is none. The image is not refused, and nothing is
	// known of its bundle; Members and Messages are those found before.
	Unreadable error
}

// Problems returns the errors and warnings, in order.
func (e *Export) Problems() []Message {
	var out []Message
	for _, m := range e.Messages {
		if m.Level != Data {
			out = append(out, m)
		}
	}
	return out
}

// pauses come before each further try of an export during which a file changed.
var pauses = []time.Duration{10 * time.Millisecond, 20 * time.Millisecond, 40 * time.Millisecond, 80 * time.Millisecond}

// Export finds out what the bundle of an image holds. Whatever is wrong with the
// image is in the result; the error is that of ctx.
func (c *Catalog) Export(ctx context.Context, root *source.Root, req Request) (*Export, error) {
	if row, found := c.osimage.one(req.Image); found {
		req.Image = row["imagename"] // imgimport looks for the files below the name in the manifest
	}
	for n := 0; ; n++ {
		x := newExporter(ctx, c, root, req)
		x.run()
		if ctx.Err() == nil && n < len(pauses) && errors.Is(x.result.Unreadable, source.ErrChanged) {
			select {
			case <-time.After(pauses[n]):
				continue
			case <-ctx.Done():
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("export of image %s: %w", req.Image, err)
		}
		result := x.result // without what the exporter holds besides
		return &result, nil
	}
}

// exporter is the state of one export.
type exporter struct {
	ctx     context.Context
	catalog *Catalog
	root    *source.Root
	req     Request
	name    string // of the bundle

	osimage    Row
	linuximage Row
	searched   Row                  // columns of linuximage that are not set, and that a search has filled
	kits       []Row                // sorted by name
	boot       []bootFile           // in the order in which they are copied
	rawImages  []string             // paths
	extras     []extra              // in the order of the command line
	elements   []tablesdump.Element // of the manifest, besides those of the rows

	seen      map[string]source.Stat // see stat
	claims    map[string]claim       // by base name in the bundle
	members   map[string]int         // index in result.Members, by name
	sameFiles map[sameFile][]string  // names of members
	silent    bool                   // messages are dropped, because imgexport would have stopped
	result    Export
}

func newExporter(ctx context.Context, c *Catalog, root *source.Root, req Request) *exporter {
	return &exporter{
		ctx: ctx, catalog: c, root: root, req: req,
		name:      BundleName(req.Image),
		seen:      map[string]source.Stat{},
		claims:    map[string]claim{},
		members:   map[string]int{},
		sameFiles: map[sameFile][]string{},
	}
}

// run takes imgexport's steps in imgexport's order. imgexport stops at a step that
// refuses; here the files that were found before are still listed.
func (x *exporter) run() {
	x.result.Image, x.result.Name = x.req.Image, x.name
	x.data("Exporting " + x.req.Image + " to " + x.req.Destination + "...")
	if !x.checkRows() || !x.checkName() || !x.checkImport() || !x.findKits() {
		return
	}
	x.findFiles()
	x.findExtras()
	x.findPostscripts()
	manifest := x.manifest()

	x.silent = x.result.Refused
	x.pack()
	x.copyFiles()
	if x.hasStopped() {
		x.dropGenerated()
		return
	}
	x.addGenerated(bundle.Manifest, manifest)
	x.data("Compressing " + x.name + " bundle.  Please be patient.")
}

// checkName refuses an image whose name cannot be that of a directory.
func (x *exporter) checkName() bool {
	if err := checkImageName(x.req.Image); err != nil {
		x.refuse(err.Error())
	}
	return !x.result.Refused
}

// pack lists the generated members of a statelite image.
func (x *exporter) pack() {
	if x.osimage["provmethod"] == "statelite" && !x.hasStopped() {
		x.packStatelite()
	}
}

// data adds a line of progress.
func (x *exporter) data(text string) { x.say(Data, text) }

// error adds an error after which imgexport goes on.
func (x *exporter) error(text string) { x.say(Error, text) }

// warn adds a line about something that imgexport is silent about.
func (x *exporter) warn(text string) { x.say(Warning, text) }

// refuse adds an error that says why there is no bundle.
func (x *exporter) refuse(text string) {
	if x.result.Unreadable == nil {
		x.result.Refused = true
		x.say(Error, text)
	}
}

func (x *exporter) say(level Level, text string) {
	if !x.silent && x.result.Unreadable == nil {
		x.result.Messages = append(x.result.Messages, Message{Level: level, Text: text})
	}
}

// add lists a member. A name that is listed already stays as it is.
func (x *exporter) add(m bundle.Member, err error) {
	if err != nil {
		x.refuse(fmt.Sprintf("%s: %v", x.req.Image, err))
		return
	}
	if _, listed := x.members[m.Name]; listed || x.result.Unreadable != nil {
		return
	}
	x.members[m.Name] = len(x.result.Members)
	x.result.Members = append(x.result.Members, m)
}

// generatedPerm is the mode of generated members, as imgexport makes them with umask 022.
const generatedPerm = 0o644

// addGenerated lists a generated member.
func (x *exporter) addGenerated(name string, content bundle.Content) {
	x.add(bundle.NewRegular(name, generatedPerm, time.Time{}, content))
}

// dropGenerated removes the generated members, when there is no bundle.
func (x *exporter) dropGenerated() {
	kept := x.result.Members[:0]
	for _, m := range x.result.Members {
		if !isGenerated(m.Name) {
			kept = append(kept, m)
		}
	}
	x.result.Members = kept
}

// The names in a bundle that no file of a site can have (docs/rules.md, section 10).
const (
	litefileName = "litefile.csv"
	treeName     = "rootimgtree.gz"
	extraName    = "extra"
)

func isGenerated(name string) bool {
	return name == bundle.Manifest || name == litefileName || name == treeName
}

// isReserved reports whether a bundle needs the base name of a path for
// something else.
func isReserved(p string) bool {
	base := path.Base(p)
	return isGenerated(base) || base == extraName
}

// Level says what kind of message a Message is.
type Level uint8

// The levels of a message.
const (
	Data    Level = iota // imgexport's progress lines, to standard output
	Error                // imgexport's error lines, byte for byte, and refusals of ours; exit code 1
	Warning              // what imgexport is silent about; does not change the exit code
)

// Message is one line about an export. Text may hold any byte that a table or a file name
// can hold.
type Message struct {
	Level Level
	Text  string
}

// String returns the message as it is printed: "Error: text", "Warning: text", or the
// text alone.
func (m Message) String() string {
	switch m.Level {
	case Error:
		return "Error: " + m.Text
	case Warning:
		return "Warning: " + m.Text
	}
	return m.Text
}
