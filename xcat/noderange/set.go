package noderange

import "math/bits"

// set is a set of nodes: their places in Nodes.names, in order and each once. So a group
// of a million nodes is a set that was there before, and its first node is known at once.
// A set never changes, because others may share it.
type set []int32

// intersect returns the nodes that both have.
func (s set) intersect(other set) (both set) {
	for len(s) > 0 && len(other) > 0 {
		switch a, b := s[0], other[0]; {
		case a < b:
			s = s[1:]
		case a > b:
			other = other[1:]
		default:
			both = append(both, a)
			s, other = s[1:], other[1:]
		}
	}
	return both
}

// without returns the nodes that other does not have.
func (s set) without(other set) (left set) {
	if len(other) == 0 {
		return s
	}
	for _, node := range s {
		for len(other) > 0 && other[0] < node {
			other = other[1:]
		}
		if len(other) == 0 || other[0] != node {
			left = append(left, node)
		}
	}
	return left
}

// union collects sets whose nodes count together.
type union struct{ sets []set }

func (u *union) add(s set) {
	if len(s) > 0 {
		u.sets = append(u.sets, s)
	}
}

// cost is how many nodes are noted by nodes: those of all sets, and a bit for each name.
func (u *union) cost(names []string) int {
	if len(u.sets) < 2 {
		return 0
	}
	n := len(names) / wordBits
	for _, s := range u.sets {
		n += len(s)
	}
	return n
}

// wordBits is how many nodes a word of nodes notes.
const wordBits = 64

// nodes returns the nodes of all sets.
func (u *union) nodes(names []string) (all set) {
	switch len(u.sets) {
	case 0:
		return nil
	case 1:
		return u.sets[0]
	}
	marks := make([]uint64, len(names)/wordBits+1)
	for _, s := range u.sets {
		for _, node := range s {
			marks[node/wordBits] |= 1 << (node % wordBits)
		}
	}
	for at, word := range marks {
		for ; word != 0; word &= word - 1 {
			all = append(all, int32(at*wordBits+bits.TrailingZeros64(word)))
		}
	}
	return all
}
