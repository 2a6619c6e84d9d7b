package xcat

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"imgexportfs/tablesdump"
	"imgexportfs/xcat/noderange"
)

// defaultsNode is the row of the table postscripts that applies to all nodes.
const defaultsNode = "xcatdefaults"

// FirstNode returns the node whose postscripts imgexport -p takes: the first in byte
// order of those that the noderange stands for. A noderange with a ^file is refused.
func (c *Catalog) FirstNode(nodes string) (string, error) {
	node, _, err := c.nodes.First(nodes, c.nodeSite())
	return node, err
}

// nodeSite returns what a noderange depends on, without files.
func (c *Catalog) nodeSite() noderange.Site {
	return noderange.Site{Excluded: c.site["excludenodes"], Dynamic: c.dynamic}
}

// dynamicGroups returns the names of dynamic groups.
func dynamicGroups(nodegroup []Row) map[string]bool {
	dynamic := map[string]bool{}
	for _, row := range nodegroup {
		if row["grouptype"] == "dynamic" {
			dynamic[row["groupname"]] = true
		}
	}
	return dynamic
}

// findNode finds the node of -p.
func (x *exporter) findNode() (string, bool) {
	site := x.catalog.nodeSite()
	site.ReadFile = x.readStart
	node, unknown, err := x.catalog.nodes.First(x.req.Node, site)
	if err != nil {
		x.refuse(err.Error())
		return "", false
	}
	for i, part := range unknown {
		if i == unknownMax {
			x.warn(fmt.Sprintf("%d more parts of the noderange stand for no node of the site", len(unknown)-i))
			break
		}
		x.warn(fmt.Sprintf("%q in the noderange %s stands for no node of the site; it is left out, as in xCAT", part, x.req.Node))
	}
	return node, true
}

// unknownMax is how many parts of a noderange are named that stand for no node.
const unknownMax = 10

// readStart reads a file up to a limit. A relative path counts from the root, as in
// tables.
func (x *exporter) readStart(file string, limit int64) ([]byte, error) {
	f, err := x.root.Open(file)
	if err == nil {
		defer func() { _ = f.Close() }()
		var text []byte
		if text, err = io.ReadAll(io.LimitReader(f, limit)); err == nil {
			return text, nil
		}
	}
	x.note(file, err)
	return nil, err
}

// findPostscripts writes the postscripts of the node of -p into the manifest:
// those for all nodes, then the node's own or its groups' (docs/rules.md, section 2).
func (x *exporter) findPostscripts() {
	for element, value := range x.req.Scripts {
		x.elements = append(x.elements, tablesdump.Value(element, value))
	}
	if !isSet(x.req.Node) {
		return
	}
	node, found := x.findNode()
	if !found {
		return
	}
	defaults, _ := x.catalog.postscripts.one(defaultsNode)
	for _, column := range []string{"postscripts", "postbootscripts"} {
		var scripts []string
		for _, value := range []string{defaults[column], x.nodeScripts(node, column)} {
			if isSet(value) {
				scripts = append(scripts, value)
			}
		}
		x.elements = append(x.elements, tablesdump.Value(column, strings.Join(scripts, ",")))
	}
}

// nodeScripts returns a column of the table postscripts for a node.
func (x *exporter) nodeScripts(node, column string) string {
	raw := x.catalog.nodeAttribute(node, column)
	value, sentence, err := noderange.Value(node, raw)
	where := fmt.Sprintf("Node %s, table postscripts, column %s, value %s", node, column, raw)
	if sentence != "" {
		x.warn(where + ": " + sentence)
	}
	if err != nil {
		x.refuse(fmt.Sprintf("%s: %v; write the value out, or export without -p", where, err))
	}
	return value
}

// nextRecord at the end of a value asks for the value of the next row behind it.
const nextRecord = "+=NEXTRECORD"

// nodeAttribute returns a column of the table postscripts as rows hold it: the node's own
// row, or the first of its groups' rows that has the column. A value that ends in
// nextRecord is followed by that of the next group that has one, without anything between
// them. An attribute in site.hierarchicalattrs has all their values, without repeats.
func (c *Catalog) nodeAttribute(node, column string) string {
	var values []string
	for _, name := range append([]string{node}, c.nodes.Groups(node)...) {
		if row, _ := c.postscripts.one(name); row[column] != "" {
			values = append(values, row[column])
		}
	}
	if len(values) == 0 {
		return ""
	}
	delim, all := c.hierarchical()[column]
	if !all {
		last := slices.IndexFunc(values, func(v string) bool { return !strings.HasSuffix(v, nextRecord) })
		if last < 0 {
			last = len(values) - 1
		}
		return strings.ReplaceAll(strings.Join(values[:last+1], ""), nextRecord, "")
	}
	seen := map[string]bool{}
	var unique []string
	for _, part := range splitList(strings.ReplaceAll(strings.Join(values, delim), nextRecord, ""), delim) {
		if !seen[part] {
			seen[part] = true
			unique = append(unique, part)
		}
	}
	return strings.Join(unique, delim)
}
