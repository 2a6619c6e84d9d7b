package blocks

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// queueModel is what a Queue promises, written down as plainly as possible: all clients
// are searched for each job.
type queueModel struct {
	limit   int
	clients []clientModel
	turns   int   // that were given so far
	counted []int // jobs that run and count
	started []int // jobs that were ever started
}

type clientModel struct {
	urgency Urgency
	jobs    []int // that are queued
	turn    int   // the client with the smallest one is next among those of its urgency
}

// next takes the job that is to run next.
func (m *queueModel) next() (job int, ok bool) {
	var best *clientModel
	for i := range m.clients {
		c := &m.clients[i]
		if len(c.jobs) == 0 {
			continue
		}
		if best == nil || c.urgency < best.urgency || c.urgency == best.urgency && c.turn < best.turn {
			best = c
		}
	}
	if best == nil {
		return 0, false
	}
	job, best.jobs = best.jobs[0], best.jobs[1:]
	m.goesBehind(best)
	return job, true
}

// goesBehind gives a client the last turn.
func (m *queueModel) goesBehind(c *clientModel) {
	m.turns++
	c.turn = m.turns
}

// fill starts jobs until as many run as may.
func (m *queueModel) fill() {
	for len(m.counted) < m.limit {
		j, ok := m.next()
		if !ok {
			return
		}
		m.counted, m.started = append(m.counted, j), append(m.started, j)
	}
}

func (m *queueModel) submit(client, job int) {
	c := &m.clients[client]
	if len(c.jobs) == 0 {
		m.goesBehind(c)
	}
	c.jobs = append(c.jobs, job)
	m.fill()
}

func (m *queueModel) hurry(client, job int) {
	to := &m.clients[client]
	for i := range m.clients {
		from := &m.clients[i]
		if at := slices.Index(from.jobs, job); at >= 0 && from.urgency > to.urgency {
			from.jobs = slices.Delete(from.jobs, at, at+1)
			m.submit(client, job)
			return
		}
	}
}

func (m *queueModel) setUrgency(client int, u Urgency) {
	if c := &m.clients[client]; c.urgency != u {
		c.urgency = u
		m.goesBehind(c)
	}
}

// end is told that a job has ended.
func (m *queueModel) end(job int) {
	if at := slices.Index(m.counted, job); at >= 0 {
		m.counted = slices.Delete(m.counted, at, at+1)
		m.fill()
	}
}

// hang is told that all jobs that run take too long.
func (m *queueModel) hang() {
	for range len(m.counted) {
		m.counted = m.counted[1:]
		m.fill()
	}
}

// queueUnderTest is a Queue beside its model. Each job runs until the script ends it.
type queueUnderTest struct {
	*Queue
	model   queueModel
	clients []*Client
	jobs    []*job
	gates   []chan struct{} // of each job
	running []int           // jobs that were started and have not ended
	started []int           // jobs in any order
	starts  chan int        // jobs that were started since the last step
}

func newQueueUnderTest(random *rand.Rand) *queueUnderTest {
	limit, clients := 1+random.IntN(3), 1+random.IntN(6)
	q := &queueUnderTest{
		Queue: NewQueue(limit, slog.New(slog.DiscardHandler)),
		model: queueModel{limit: limit}, starts: make(chan int, 1000),
	}
	for range clients {
		u := Urgency(random.IntN(int(urgencies)))
		q.clients = append(q.clients, q.NewClient(u))
		q.model.clients = append(q.model.clients, clientModel{urgency: u})
	}
	return q
}

// step makes a random step with the queue and its model, and says what it was.
func (q *queueUnderTest) step(random *rand.Rand) string {
	c := random.IntN(len(q.clients))
	switch what := random.IntN(10); {
	case what < 4:
		id, gate := len(q.jobs), make(chan struct{})
		j := &job{run: func() { q.starts <- id; <-gate }}
		q.jobs, q.gates = append(q.jobs, j), append(q.gates, gate)
		q.clients[c].submit(j)
		q.model.submit(c, id)
		return fmt.Sprintf("client %d submits job %d", c, id)
	case what < 5 && len(q.jobs) > 0:
		id := random.IntN(len(q.jobs))
		q.clients[c].hurry(q.jobs[id])
		q.model.hurry(c, id)
		return fmt.Sprintf("client %d hurries job %d", c, id)
	case what < 6:
		u := Urgency(random.IntN(int(urgencies)))
		q.clients[c].SetUrgency(u)
		q.model.setUrgency(c, u)
		return fmt.Sprintf("client %d has urgency %d", c, u)
	case what < 9 && len(q.running) > 0:
		i := random.IntN(len(q.running))
		id := q.running[i]
		q.running = slices.Delete(q.running, i, i+1)
		close(q.gates[id])
		q.model.end(id)
		return fmt.Sprintf("job %d ends", id)
	case random.IntN(20) == 0:
		// Every job that runs was started in this instant, or by a job that was found
		// to hang a millisecond ago. So each is found to hang once in this time.
		time.Sleep(stuckAfter + time.Millisecond)
		q.model.hang()
		return "all jobs hang"
	}
	return "nothing"
}

// look takes note of the jobs that were started.
func (q *queueUnderTest) look() {
	synctest.Wait()
	for len(q.starts) > 0 {
		id := <-q.starts
		q.running, q.started = append(q.running, id), append(q.started, id)
	}
}

// compare says how the queue differs from its model, or "".
func (q *queueUnderTest) compare() string {
	q.look()
	got, want := slices.Sorted(slices.Values(q.started)), slices.Sorted(slices.Values(q.model.started))
	if !slices.Equal(got, want) {
		return fmt.Sprintf("the jobs %v were started, want %v", got, want)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.Queue.running != len(q.model.counted) {
		return fmt.Sprintf("%d jobs count, want %d", q.Queue.running, len(q.model.counted))
	}
	return ""
}

// finish closes the queue while jobs run and others are queued.
func (q *queueUnderTest) finish(t *testing.T) {
	closed := false
	go func() {
		q.Close()
		closed = true
	}()
	q.look()
	if closed != (len(q.model.counted) == 0) {
		t.Errorf("Close has returned: %v, while %d jobs count", closed, len(q.model.counted))
	}
	for _, id := range q.running {
		close(q.gates[id])
	}
	before := len(q.started)
	q.look()
	if !closed || len(q.started) != before {
		t.Errorf("Close has returned: %v, and %d jobs were started after it", closed, len(q.started)-before)
	}
}

// Whatever is submitted, hurried, made more or less urgent, ends or hangs: the jobs that
// run are those that the rules of the model say.
func TestQueueDoesWhatItsModelDoes(t *testing.T) {
	forManySeeds(t, func(t *testing.T, random *rand.Rand) {
		q := newQueueUnderTest(random)
		var script []string
		for range 100 {
			script = append(script, q.step(random))
			if wrong := q.compare(); wrong != "" {
				t.Errorf("%s after the script %q", wrong, script)
				break
			}
		}
		q.finish(t)
	})
}
