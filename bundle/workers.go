package bundle

import (
	"container/list"
	"sync"
)

// priority orders the work of the pool.
type priority int

const (
	demanded priority = iota // somebody waits for it
	ahead                    // a reader will probably come to it
	sizing                   // a size needs it
	idle                     // a size will need it
	priorities
)

// job is a piece of work for one worker.
type job struct {
	run func(w *worker)

	// Guarded by workers.mu.
	at    priority
	place *list.Element // in the queue; nil once a worker has taken it
}

// worker is what a job needs and may not share.
type worker struct {
	enc  *encoder
	raw  []byte // bufferSize bytes of scratch
	made []byte // as much again
}

// workers run jobs on a fixed number of goroutines, the most urgent first and
// in order of submission among equals.
type workers struct {
	mu     sync.Mutex
	more   *sync.Cond // a job has come, or closed was set
	queues [priorities]*list.List
	closed bool
	done   sync.WaitGroup
}

func newWorkers(n int, c Codec) (*workers, error) {
	p := &workers{}
	p.more = sync.NewCond(&p.mu)
	for i := range p.queues {
		p.queues[i] = list.New()
	}
	for range n {
		enc, err := newEncoder(c)
		if err != nil {
			return nil, err
		}
		p.done.Add(1)
		go p.work(&worker{enc: enc, raw: make([]byte, bufferSize), made: make([]byte, bufferSize)})
	}
	return p, nil
}

// submit queues a job. After close nothing runs any more.
func (p *workers) submit(j *job, at priority) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j.at, j.place = at, p.queues[at].PushBack(j)
	p.more.Signal()
}

// hurry moves a job that is still queued to a more urgent queue.
func (p *workers) hurry(j *job, at priority) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if j.place != nil && at < j.at {
		p.queues[j.at].Remove(j.place)
		j.at, j.place = at, p.queues[at].PushBack(j)
	}
}

// close waits for the jobs that run; queued ones are dropped.
func (p *workers) close() {
	p.mu.Lock()
	p.closed = true
	p.more.Broadcast()
	p.mu.Unlock()
	p.done.Wait()
}

func (p *workers) work(w *worker) {
	defer p.done.Done()
	for j := p.next(); j != nil; j = p.next() {
		j.run(w)
	}
}

// next waits for a job; nil means that the pool is closed.
func (p *workers) next() *job {
	p.mu.Lock()
	defer p.mu.Unlock()
	for !p.closed {
		for _, q := range p.queues {
			if front := q.Front(); front != nil {
				j := q.Remove(front).(*job)
				j.place = nil
				return j
			}
		}
		p.more.Wait()
	}
	return nil
}
