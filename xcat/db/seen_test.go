package db

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"imgexportfs/bundle/source"
)

func TestSeenIsWhenTheLookBeganThatConfirmedTheRows(t *testing.T) {
	inBubble(t, 2*time.Second, func(t *testing.T, s *Site[Tables], b *slowBackend, _ *bytes.Buffer) {
		first, err := s.Catalog(t.Context())
		must(t, err)
		opened := time.Now()
		if seen := s.Seen(first); !seen.Equal(opened) {
			t.Errorf("seen %v after the rows were read", opened.Sub(seen))
		}
		b.slowDown(300 * time.Millisecond)
		time.Sleep(1600 * time.Millisecond)
		began := time.Now()
		if again, err := s.Catalog(t.Context()); err != nil || again != first {
			t.Errorf("other rows, %v", err)
		}
		if seen := s.Seen(first); !seen.Equal(opened) {
			t.Errorf("seen %v later while a look is in progress", seen.Sub(opened))
		}
		time.Sleep(400 * time.Millisecond)
		if seen := s.Seen(first); !seen.Equal(began) {
			t.Errorf("seen %v after the look began", seen.Sub(began))
		}
		b.set("v2", nil)
		time.Sleep(time.Minute)
		took(t, s, "v2")
		if seen := s.Seen(first); !seen.IsZero() {
			t.Errorf("rows that were replaced are seen at %v", seen)
		}
	})
}

func TestRowsThatCannotBeReadAgainArePresent(t *testing.T) {
	inBubble(t, 2*time.Second, func(t *testing.T, s *Site[Tables], b *slowBackend, _ *bytes.Buffer) {
		b.set("v2", errors.New("no more"))
		time.Sleep(time.Minute)
		c, err := s.Catalog(t.Context())
		must(t, err)
		time.Sleep(500 * time.Millisecond)
		if seen := s.Seen(c); !seen.Equal(time.Now()) {
			t.Errorf("seen %v ago", time.Since(seen))
		}
	})
}

// A user that keeps what it derives from rows until the refresh time has passed since
// Seen shows a change within the refresh time and the time that a look takes.
func TestWhatIsDerivedFromRowsShowsAChangeInTime(t *testing.T) {
	const refresh, slow = 2 * time.Second, 900 * time.Millisecond
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	inBubble(t, refresh, func(t *testing.T, s *Site[Tables], b *slowBackend, _ *bytes.Buffer) {
		b.slowDown(slow)
		var shown string
		var until time.Time
		show := func() string {
			if !time.Now().Before(until) {
				c, err := s.Catalog(t.Context())
				must(t, err)
				shown, until = images(c)[0], s.Seen(c).Add(refresh)
			}
			return shown
		}
		for n := range 50 {
			for range random.IntN(60) {
				time.Sleep(50 * time.Millisecond)
				show()
				_, err := s.Catalog(t.Context()) // somebody else looks all the time
				must(t, err)
			}
			want := fmt.Sprint("change", n)
			b.set(Version(want), nil)
			for start := time.Now(); show() != want; time.Sleep(50 * time.Millisecond) {
				_, err := s.Catalog(t.Context())
				must(t, err)
				if time.Since(start) > refresh+time.Second {
					t.Fatalf("change %d does not show after %v", n, time.Since(start))
				}
			}
		}
	})
}

// countingBackend has a version that grows with time. A look takes long, and finds
// what was there when it began.
type countingBackend struct {
	fakeBackend
	born   time.Time
	random *rand.Rand // guarded by the site's turn
}

func (c *countingBackend) Version(ctx context.Context) (Version, error) {
	version := Version(strconv.FormatInt(time.Since(c.born).Milliseconds(), 10))
	select {
	case <-time.After(time.Duration(c.random.Int64N(int64(3 * time.Second)))):
		return version, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (c *countingBackend) Load(ctx context.Context) (Tables, Version, error) {
	version, err := c.Version(ctx)
	return Tables{"osimage": tableOf("osimage", Row{"imagename": string(version)})}, version, err
}

// A user that takes only rows with a time of Seen never goes back to older rows,
// whatever the looks take, and however long it is held up after Catalog.
func TestOlderRowsNeverReplaceNewerOnes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		root, err := source.OpenRoot(t.TempDir())
		must(t, err)
		b := &countingBackend{born: time.Now(), random: rand.New(rand.NewPCG(seed, 0))}
		s := newSite(root, b, "fake", Config{Refresh: 100 * time.Millisecond}, rowsOf)
		var mu sync.Mutex
		held, taken := int64(-1), map[int64]bool{}
		var users sync.WaitGroup
		for i := range 8 {
			random := rand.New(rand.NewPCG(seed, uint64(i)+1))
			users.Go(func() {
				for range 200 {
					c, err := s.Catalog(t.Context())
					if err != nil {
						t.Error(err)
						return
					}
					time.Sleep(time.Duration(random.Int64N(int64(2 * time.Second))))
					mu.Lock()
					if !s.Seen(c).IsZero() {
						got, err := strconv.ParseInt(images(c)[0], 10, 64)
						if err != nil || got < held {
							t.Errorf("rows of %d ms replace those of %d ms", got, held)
						}
						held, taken[got] = got, true
					}
					mu.Unlock()
				}
			})
		}
		users.Wait()
		if len(taken) < 20 {
			t.Errorf("only %d snapshots were taken", len(taken))
		}
		must(t, s.Close())
	})
}
