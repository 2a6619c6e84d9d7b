package fs

import "sync"

// stable gives directories and texts that do not belong to one version one
// inode number each, for as long as the mount lasts.
type stable[K comparable] struct {
	numbers *inodes
	mu      sync.Mutex
	known   map[K]uint64
}

func newStable[K comparable](numbers *inodes) *stable[K] {
	return &stable[K]{numbers: numbers, known: map[K]uint64{}}
}

// ino returns the number of k.
func (s *stable[K]) ino(k K) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	ino, ok := s.known[k]
	if !ok {
		ino = s.numbers.take(1)
		s.known[k] = ino
	}
	return ino
}
