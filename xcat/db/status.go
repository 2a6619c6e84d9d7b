package db

import "time"

// trouble is what is known of a database that cannot be read. The zero value means that
// it can be read.
type trouble struct {
	err   error         // of the last look
	since time.Time     // of the first look in a row that failed
	pause time.Duration // between the last look and the next one
	retry time.Time     // when the next look may begin
}

// Pauses between looks at a database that cannot be read. Waiting for a lock or for a
// connection takes seconds, and without a pause every lookup would wait. The pause
// doubles with every look that fails.
const (
	firstPause   = time.Second
	longestPause = 15 * time.Second
)

// noteLook notes how a look has ended. It writes one line to the log when the database is
// lost, and one when it is back. The caller holds mu.
func (s *Site[C]) noteLook(l *look, err error) {
	now, had := time.Now(), s.trouble
	s.looks++
	s.looking += now.Sub(l.began)
	if err == nil {
		s.trouble = trouble{}
		if had.err != nil && s.catalog != nil {
			s.log.Info("the site's database can be read again", "database", s.database,
				"after", now.Sub(had.since).Round(time.Millisecond))
		}
		return
	}
	s.failed++
	if had.err == nil {
		had.since = l.began
		if s.catalog != nil {
			s.log.Warn("the site's database cannot be read; the rows that were last read are served",
				"database", s.database, "last_good", s.seen, "error", err)
		}
	}
	pause := min(max(firstPause, 2*had.pause), longestPause)
	s.trouble = trouble{err: err, since: had.since, pause: pause, retry: now.Add(pause)}
}

// Status says how a site is doing.
type Status struct {
	Database string    // kind and place, without user and password
	Images   int       // visible rows of osimage in the rows that are served
	Read     time.Time // when these rows were read
	Looked   time.Time // when the database was last asked whether they are still right
	Err      error     // why that failed; nil if it did not
	Since    time.Time // since when it fails; zero if it does not
	Retry    time.Time // when a lookup will have the database asked again; zero if it does not fail

	Looks   int64         // at the database that have ended
	Failed  int64         // of which so many have failed
	Loads   int64         // of which so many have read the rows
	Looking time.Duration // that all of them took
}

// Status returns how the site is doing. It asks the database nothing.
func (s *Site[C]) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Status{
		Database: s.database, Images: s.images, Read: s.read, Looked: s.looked,
		Err: s.trouble.err, Since: s.trouble.since, Retry: s.trouble.retry,
		Looks: s.looks, Failed: s.failed, Loads: s.loads, Looking: s.looking,
	}
}

// LastError returns why the database could not be read when it was last
// looked at, or nil. While there is an error, Catalog returns the rows that
// were read before.
func (s *Site[C]) LastError() error { return s.Status().Err }
