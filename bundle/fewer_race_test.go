//go:build race

package bundle

// fewer divides how often, or with how much, the longest tests do what others do too: the
// race detector, which makes deflating fifteen times as slow, learns nothing from more.
const fewer = 4
