package fs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/source"
	"imgexportfs/xcat"
)

// plan is all that is known of an image in one state: what its bundle is made
// from, and what is wrong with it. It may be large, so it is in the budget and
// goes when there is no room; a version is what stays of it. Each user of a
// plan calls release once.
type plan struct {
	name        string
	fingerprint [32]byte
	bundle      *bundle.Bundle // nil if the image is refused
	members     memberList
	modTime     time.Time
	errors      string // text of NAME.errors

	tree        *tree // nil if there is none
	treeRefused bool  // because of what the walk has found
	treeFaults  bool  // the walk has found something that NAME.errors says

	share *blocks.Share
	owner *version // whose plan this is; set before the first release
}

func (p *plan) release() { p.share.Release() }

// drop is called when the budget has no room for the plan.
func (p *plan) drop() {
	if p.owner != nil {
		p.owner.plan.CompareAndSwap(p, nil)
	}
	if p.tree != nil {
		go p.tree.release() // the budget is not to be used in here
	}
}

// planner makes the plan of a view.
type planner struct {
	*versions
	rows  rows
	of    view
	look  *look
	since time.Time // the tree must have been walked then, or later

	outline *outline // that a brief look has found, for the first try; or nil
	tree    *tree
	at      time.Time // all that the plan holds was so then, or later
}

// planTries is how often a plan is tried whose sources change meanwhile.
const planTries = 3

// run returns a plan. known is the version before, whose plan is returned if
// nothing has changed and it is still there.
func (m *planner) run(known *version) (p *plan, err error) {
	for range planTries {
		if p, err = m.try(known); !errors.Is(err, source.ErrChanged) {
			break
		}
	}
	return p, err
}

func (m *planner) try(known *version) (p *plan, err error) {
	defer func() {
		if err != nil || p.tree != m.tree {
			m.dropTree()
		}
	}()
	o, err := m.found()
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", m.of.image, err)
	}
	state := fingerprint(o.export)
	if known != nil && known.fingerprint == state {
		if p := known.use(); p != nil {
			m.dropTree() // the plan has one
			return p, nil
		}
	}
	p = &plan{
		name: o.export.Name, fingerprint: state, errors: errorsText(o.export.Problems()),
		tree: m.tree, treeRefused: o.export.TreeRefused,
	}
	p.treeFaults = p.treeRefused || m.tree != nil && len(m.tree.findings) > 0
	if err := p.fill(m.life, m.engine, o.export); err != nil {
		return nil, fmt.Errorf("image %s: %w", m.of.image, err)
	}
	p.share = m.engine.Budget().Add(p.memory(), p.drop)
	return p, nil
}

// found is what a look finds, or what a brief one has found before.
func (m *planner) found() (o *outline, err error) {
	if o, m.outline = m.outline, nil; o != nil {
		m.at = o.at
		return o, nil
	}
	m.at = time.Now()
	req := m.requested(m.of)
	req.Tree = m.walked
	return m.newOutline(m.rows, req)
}

// requested asks for the bundle of a view.
func (vs *versions) requested(of view) xcat.Request {
	req := xcat.Request{Image: of.image}
	if vs.request != nil {
		req = vs.request(of.image)
	}
	req.Node = cmp.Or(of.node, req.Node)
	return req
}

// walked returns the tree of a statelite image to the export.
func (m *planner) walked(_ context.Context, dir, name string) (*bundle.Tree, source.Findings, error) {
	m.dropTree() // of a try before
	m.waitsFor(m.look, m.trees.walking(dir))
	defer m.waitsFor(m.look, time.Time{})
	tree, at, err := m.trees.get(dir, name, m.since)
	if err != nil {
		return nil, nil, err
	}
	m.tree = tree
	if at.Before(m.at) {
		m.at = at
	}
	return m.tree.content, m.tree.findings, nil
}

func (m *planner) dropTree() {
	if m.tree != nil {
		m.tree.release()
		m.tree = nil
	}
}

// fingerprint tells an export from the next one.
func fingerprint(export *xcat.Export) [32]byte {
	problems, err := bundle.NewRegular("problems", 0, time.Time{}, bundle.Bytes(errorsText(export.Problems())))
	if err != nil {
		panic(err) // the name is a constant
	}
	return bundle.Fingerprint(export.Name, append([]bundle.Member{problems}, export.Members...))
}

// fill makes what is large.
func (p *plan) fill(ctx context.Context, engine *bundle.Engine, export *xcat.Export) (err error) {
	p.members, p.modTime = newMemberList(export.Members), bundle.Newest(export.Members)
	if !export.Refused {
		p.bundle, err = engine.NewBundle(ctx, export.Name, export.Members)
	}
	return err
}

// memory is about how many bytes the plan takes, without the tree.
func (p *plan) memory() int64 {
	const fixed, member = 2 << 10, 400 // with its names and content
	n := fixed + int64(len(p.members))*member + int64(len(p.errors))
	if p.bundle != nil {
		n += p.bundle.Memory()
	}
	return n
}

// isBroken reports whether the sizes that the bundle has shown were wrong.
func (p *plan) isBroken() bool { return p.bundle != nil && p.bundle.Broken() }

// check returns source.ErrChanged if a source is not what it was. A small
// bundle may be in the kernel's cache as a whole, so that no read would tell.
// The files of a tree are left to the reads.
func (p *plan) check(root *source.Root) error {
	for _, m := range p.members {
		file, isFile := m.Content.(bundle.File)
		if !isFile {
			continue
		}
		st, err := root.Stat(file.Path())
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && st.Identity != file.Identity():
			return fmt.Errorf("%s: %w", file.Path(), source.ErrChanged)
		case err != nil:
			return err
		}
	}
	return nil
}

// holds reports whether a call is for a file of the plan.
func (p *plan) holds(call source.Call) bool {
	return slices.ContainsFunc(p.members, func(m bundle.Member) bool {
		switch c := m.Content.(type) {
		case bundle.File:
			return c.Path() == call.Path
		case *bundle.Tree:
			return isWithin(call.Path, c.Dir())
		}
		return false
	})
}

// memberTime is the time of member m.
func (p *plan) memberTime(m bundle.Member) time.Time {
	if m.ModTime.IsZero() {
		return p.modTime
	}
	return m.ModTime
}

// errorsText is the content of NAME.errors; "" if there is no such file.
func errorsText(problems []xcat.Message) string {
	var b strings.Builder
	for _, p := range problems {
		level := "Error: "
		if p.Level == xcat.Warning {
			level = "Warning: "
		}
		b.WriteString(level + printable(p.Text) + "\n")
	}
	return b.String()
}
