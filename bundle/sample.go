package bundle

import "fmt"

const (
	// sampleSize says how much of a large file is looked at in each place
	// before it is decided how to keep it, and sampleEvery how far apart the
	// places are: a disk image of gigabytes may have little data in it.
	sampleSize  = 64 << 10
	sampleEvery = 64 << 20
	samplesMin  = 4
	samplesMax  = 64
	// storeAbove is the share of its samples' size, in percent, above which
	// deflating a file is not worth the time.
	storeAbove = 95
)

// worthStoring reports whether a large file is compressed already, judging
// by samples at fixed places: the middle of each quarter or smaller part, for
// the ends of a kernel or an initrd are not like the rest. The answer depends on nothing
// but the content, so it is the same on every host.
func (e *encoder) worthStoring(c Content) (bool, error) {
	raw := make([]byte, sampleSize)
	dst := make([]byte, 0, memberMax(sampleSize, nil))
	var before, after int64
	count := min(max(c.Size()/sampleEvery, samplesMin), samplesMax)
	for i := range count {
		off := (2*i + 1) * (c.Size() / (2 * count))
		p := raw[:min(sampleSize, c.Size()-off)]
		if _, err := c.ReadAt(p, off); err != nil {
			return false, fmt.Errorf("sample of %d bytes at %d: %w", len(p), off, err)
		}
		before += int64(len(p))
		after += int64(len(e.appendMember(dst, p, nil, false)))
	}
	return after*100 > before*storeAbove, nil
}
