package blocks

import (
	"container/list"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"
)

// Urgency orders the work of a Queue.
type Urgency int

// What is more urgent always goes first.
const (
	Waiting    Urgency = iota // a reader or a stat waits for it
	Ahead                     // a reader will probably come to it
	Background                // it may be of use later
	urgencies
)

// Queue runs jobs, a fixed number at a time. Among clients of the same urgency
// each has its turn, one job a turn, so that none waits for all jobs of another.
//
// A job that takes longer than stuckAfter is thought to hang in a source, such as a
// file server that does not answer. It does not count then, so that work on other
// sources goes on.
type Queue struct {
	limit int
	log   *slog.Logger

	mu      sync.Mutex            // guards what follows, and the fields of clients and jobs
	ready   [urgencies]*list.List // of *Client with jobs, the next one in front
	running int                   // jobs that count
	closed  bool
	drained *sync.Cond // running has become 0
}

// stuckAfter is how long a job may take before another one runs in its place:
// many times what the slowest compression of one block takes.
const stuckAfter = 2 * time.Second

// NewQueue returns a queue that runs up to limit jobs at a time. log is told of
// panics.
func NewQueue(limit int, log *slog.Logger) *Queue {
	q := &Queue{limit: limit, log: log}
	q.drained = sync.NewCond(&q.mu)
	for u := range q.ready {
		q.ready[u] = list.New()
	}
	return q
}

// Limit is how many jobs run at a time.
func (q *Queue) Limit() int { return q.limit }

// ErrClosed is what those get who wait for a job that will not run, because the queue is
// closed. It is what the kernel says of a mount that has ended.
var ErrClosed = fmt.Errorf("the server ends: %w", syscall.ENOTCONN)

// Close waits for the jobs that run, apart from those that hang. Queued ones, and
// those that come later, are dropped.
func (q *Queue) Close() {
	q.mu.Lock()
	q.closed = true
	var queued []*job
	for _, ready := range q.ready {
		for ready.Len() > 0 {
			queued = append(queued, ready.Front().Value.(*Client).next())
		}
	}
	q.mu.Unlock()
	for _, j := range queued {
		j.drop()
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.running > 0 {
		q.drained.Wait()
	}
}

// Client is one party whose jobs take turns with those of others: a reader, or
// a pass over a bundle.
type Client struct {
	queue *Queue

	// Guarded by queue.mu.
	urgency Urgency
	jobs    *list.List    // of *job, in order of submission
	place   *list.Element // in queue.ready; nil while there are no jobs
}

// NewClient returns a client whose jobs have the given urgency.
func (q *Queue) NewClient(u Urgency) *Client {
	return &Client{queue: q, urgency: u, jobs: list.New()}
}

// SetUrgency changes the urgency of the client's jobs, also of those queued.
func (c *Client) SetUrgency(u Urgency) {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	if c.urgency == u {
		return
	}
	c.leave()
	c.urgency = u
	c.enter()
}

// enter gives the client its place among those with jobs.
func (c *Client) enter() {
	if c.place == nil && c.jobs.Len() > 0 {
		c.place = c.queue.ready[c.urgency].PushBack(c)
	}
}

func (c *Client) leave() {
	if c.place != nil {
		c.queue.ready[c.urgency].Remove(c.place)
		c.place = nil
	}
}

// job is one piece of work.
type job struct {
	run     func()
	dropped func() // called in place of run when the queue is closed; may be nil

	// Guarded by Queue.mu.
	client *Client
	place  *list.Element // in client.jobs; nil once the job runs
}

func (j *job) drop() {
	if j.dropped != nil {
		j.dropped()
	}
}

// submit queues a job.
func (c *Client) submit(j *job) {
	if !c.add(j) {
		j.drop()
	}
}

// add reports whether the job will run.
func (c *Client) add(j *job) bool {
	q := c.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	c.take(j)
	if q.running < q.limit {
		q.start()
	}
	return true
}

func (c *Client) take(j *job) {
	j.client, j.place = c, c.jobs.PushBack(j)
	c.enter()
}

// hurry makes a job that is still queued the client's own if that is more urgent.
func (c *Client) hurry(j *job) {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	if j.place == nil || j.client.urgency <= c.urgency {
		return
	}
	j.client.drop(j)
	c.take(j)
}

// drop takes a job out of the client's list.
func (c *Client) drop(j *job) {
	c.jobs.Remove(j.place)
	j.place = nil
	if c.jobs.Len() == 0 {
		c.leave()
	}
}

// next takes the client's first job out of its list.
func (c *Client) next() *job {
	j := c.jobs.Front().Value.(*job)
	c.drop(j)
	return j
}

// start runs jobs on a new goroutine. q.mu is held.
func (q *Queue) start() {
	if j := q.next(); j != nil {
		q.running++
		go q.work(j)
	}
}

// work runs jobs until there are none, or until another goroutine has taken
// the place of this one.
func (q *Queue) work(j *job) {
	for j != nil {
		hangs := time.AfterFunc(stuckAfter, q.replace)
		j.run()
		replaced := !hangs.Stop()
		q.mu.Lock()
		if replaced {
			q.mu.Unlock()
			return
		}
		if j = q.next(); j == nil {
			q.end()
		}
		q.mu.Unlock()
	}
}

// replace lets another job run in the place of one that hangs.
func (q *Queue) replace() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.end()
	q.start()
}

// end counts a job out. q.mu is held.
func (q *Queue) end() {
	if q.running--; q.running == 0 {
		q.drained.Broadcast()
	}
}

// next takes the job whose turn it is, or returns nil. q.mu is held.
func (q *Queue) next() *job {
	if q.closed {
		return nil
	}
	for _, ready := range q.ready {
		if front := ready.Front(); front != nil {
			c := front.Value.(*Client)
			j := c.next()
			if c.place != nil {
				ready.MoveToBack(c.place)
			}
			return j
		}
	}
	return nil
}

// Each runs f for 0 to n-1, with few calls queued at a time. The first error
// ends it, or the end of ctx; calls that run are waited for.
func (c *Client) Each(ctx context.Context, n int, f func(i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	slots := make(chan struct{}, 2*c.queue.limit) // enough to keep all cores busy
	var running sync.WaitGroup
	for i := range n {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		running.Add(1)
		end := func(err error) {
			if err != nil {
				stop(err)
			}
			<-slots
			running.Done()
		}
		c.submit(&job{
			run:     func() { end(c.call(ctx, i, f)) },
			dropped: func() { end(ErrClosed) },
		})
	}
	running.Wait()
	return context.Cause(ctx)
}

// call runs one step of Each, unless there is no need any more.
func (c *Client) call(ctx context.Context, i int, f func(i int) error) error {
	if ctx.Err() != nil {
		return nil
	}
	return Guarded(c.queue.log, "a pass", func() error { return f(i) })
}
