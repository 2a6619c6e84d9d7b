package bundle

// courseReach is how far from the rest of a run a read may be and still belong
// to it: the kernel has several reads of a megabyte under way for one reader,
// and they arrive in any order.
const courseReach = 8 << 20

// earlyMax is how many reads may be ahead of one that has not come yet.
const earlyMax = 16

// course tells from the reads of a file whether it is read forward: whether
// each byte is asked for after the one before it. Neighbours in time need not
// be neighbours in the file.
type course struct {
	from, to int64  // asked for without a gap, in the present run
	early    []span // asked for beyond the gap behind to
}

// span is a range of bytes.
type span struct{ start, end int64 }

// add takes in a read of the bytes from off to end, and reports whether it
// belongs to the run; if not, it begins one.
func (c *course) add(off, end int64) (belongs bool) {
	near := c.to-courseReach <= off && off <= c.to+courseReach && c.from <= off
	if !near || off > c.to && len(c.early) == earlyMax {
		*c = course{from: off, to: end, early: c.early[:0]}
		return false
	}
	if off > c.to {
		c.early = append(c.early, span{off, end})
		return true
	}
	c.to = max(c.to, end)
	for i := 0; i < len(c.early); i++ {
		if e := c.early[i]; e.start <= c.to { // the gap before it is closed
			c.to = max(c.to, e.end)
			last := len(c.early) - 1
			c.early[i] = c.early[last]
			c.early = c.early[:last]
			i = -1 // another one may follow now
		}
	}
	return true
}

// front is the end of what has been asked for, gaps or not.
func (c *course) front() int64 {
	end := c.to
	for _, e := range c.early {
		end = max(end, e.end)
	}
	return end
}
