package fs

import (
	"bytes"
	"sync"
)

// journalMax is how many bytes of log a Journal keeps at most.
const journalMax = 64 << 10

// Journal keeps the last lines that were logged, for .imgexportfs/log: who gets
// an error from a mount that runs in the background wants to know why. It is a
// writer for one line at a time, as slog writes them.
type Journal struct {
	mu   sync.Mutex // guards text
	text []byte
}

// Write appends a line and drops the oldest ones that have no room any more.
func (j *Journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text = append(j.text, line...)
	if surplus := len(j.text) - journalMax; surplus > 0 {
		if end := bytes.IndexByte(j.text[surplus-1:], '\n'); end >= 0 {
			surplus += end
		}
		j.text = append(j.text[:0], j.text[surplus:]...)
	}
	return len(line), nil
}

// Text is a copy of the lines.
func (j *Journal) Text() []byte {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return bytes.Clone(j.text)
}
