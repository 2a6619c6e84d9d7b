package noderange

import (
	"errors"
	"maps"
	"slices"
	"strings"
)

// Nodes are the nodes of a site and their groups. They never change.
type Nodes struct {
	groupsText map[string]string // of each node, as the table has them
	names      []string          // of the nodes, in byte order
	members    map[string]set    // of each group
	groupNames []string          // in byte order
}

// NewNodes returns the nodes with the given groups: each node's are a list separated by
// commas, as in the table nodelist. The map must not change any more.
func NewNodes(groups map[string]string) *Nodes {
	n := &Nodes{groupsText: groups, names: slices.Sorted(maps.Keys(groups)), members: map[string]set{}}
	for i, node := range n.names {
		for _, group := range n.Groups(node) {
			// A node may list a group twice.
			if m := n.members[group]; group != "" && (len(m) == 0 || m[len(m)-1] != int32(i)) {
				n.members[group] = append(m, int32(i))
			}
		}
	}
	n.groupNames = slices.Sorted(maps.Keys(n.members))
	return n
}

// Names returns the names of the nodes in byte order.
func (n *Nodes) Names() []string { return slices.Clone(n.names) }

// Groups returns the groups of a node, in their order.
func (n *Nodes) Groups(node string) []string {
	text := strings.TrimRight(n.groupsText[node], ",")
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// Site is what a noderange depends on beside the nodes.
type Site struct {
	Excluded string          // site.excludenodes: a noderange whose nodes never count
	Dynamic  map[string]bool // groups whose nodes only xcatd can find
	// ReadFile reads the file of ^file, as far as limit. If it is nil such a part is
	// refused.
	ReadFile func(path string, limit int64) ([]byte, error)
}

// First returns the node whose postscripts imgexport -p takes: the first in byte order
// of those that the noderange stands for. If there is none the error's text is
// imgexport's. Unknown are the parts that stand for no node, which xCAT leaves out.
func (n *Nodes) First(noderange string, s Site) (node string, unknown []string, err error) {
	nodes, unknown, err := n.expand(noderange, s)
	if err != nil {
		return "", nil, err
	}
	if len(nodes) == 0 {
		return "", nil, errors.New("Unable to get postscripts, " + noderange + " is not a valide node.")
	}
	return n.names[nodes[0]], unknown, nil
}

// Expand returns the nodes of a noderange in byte order, and the parts that stand for no
// node. The error names a part that cannot be understood here, and then nothing is known
// of the whole.
func (n *Nodes) Expand(noderange string, s Site) (nodes, unknown []string, err error) {
	found, unknown, err := n.expand(noderange, s)
	nodes = slices.Grow(nodes, len(found))
	for _, i := range found {
		nodes = append(nodes, n.names[i])
	}
	return nodes, unknown, err
}

// expand is Expand with the nodes as a set.
func (n *Nodes) expand(noderange string, s Site) (found set, unknown []string, err error) {
	e := &evaluation{Nodes: n, site: s, stepsMax: max(stepsMax, looksMax*len(n.names))}
	if found, err = e.list(noderange, 0); err != nil {
		return nil, nil, refusal(noderange, err)
	}
	unknown = e.unknown
	if s.Excluded != "" && len(found) > 0 {
		excluded, err := e.list(s.Excluded, 0)
		if err != nil {
			return nil, nil, refusal(s.Excluded+" of site.excludenodes", err)
		}
		found = found.without(excluded)
	}
	return found, unknown, nil
}
