package db

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"imgexportfs/bundle/source"
)

// slowBackend is a fakeBackend that takes its time.
type slowBackend struct {
	fakeBackend
	delay time.Duration // guarded by mu
}

func (s *slowBackend) wait(ctx context.Context) error {
	s.mu.Lock()
	delay := s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slowBackend) Version(ctx context.Context) (Version, error) {
	if err := s.wait(ctx); err != nil {
		return "", err
	}
	return s.fakeBackend.Version(ctx)
}

func (s *slowBackend) slowDown(delay time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = delay
}

// inBubble runs a test on a site whose clock stands still while anybody works.
func inBubble(t *testing.T, refresh time.Duration, test func(t *testing.T, s *Site[Tables], b *slowBackend, log *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		b := &slowBackend{fakeBackend: fakeBackend{version: "v1"}}
		root, err := source.OpenRoot(t.TempDir())
		must(t, err)
		var log bytes.Buffer
		s := newSite(root, b, "fake:db", Config{Refresh: refresh, Log: slog.New(slog.NewTextHandler(&log, nil))}, rowsOf)
		expectImage(t, s, "v1")
		test(t, s, b, &log)
		must(t, s.Close())
	})
}

// took measures a lookup.
func took(t *testing.T, s *Site[Tables], want string) time.Duration {
	t.Helper()
	time.Sleep(time.Millisecond) // a lookup at the very moment of the last look would do with that
	start := time.Now()
	expectImage(t, s, want)
	return time.Since(start)
}

func TestAfterARestALookupWaitsForTheChange(t *testing.T) {
	inBubble(t, 2*time.Second, func(t *testing.T, s *Site[Tables], b *slowBackend, _ *bytes.Buffer) {
		b.slowDown(300 * time.Millisecond)
		b.set("v2", nil)
		time.Sleep(time.Hour)
		if waited := took(t, s, "v2"); waited != 300*time.Millisecond {
			t.Errorf("it waits %v", waited)
		}
	})
}

func TestUnderSteadyUseNobodyWaitsAndChangesShowInTime(t *testing.T) {
	inBubble(t, 2*time.Second, func(t *testing.T, s *Site[Tables], b *slowBackend, _ *bytes.Buffer) {
		b.slowDown(300 * time.Millisecond)
		for range 100 {
			if waited := took(t, s, "v1"); waited != 0 {
				t.Fatalf("a lookup waits %v", waited)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if looks := b.looks.Load(); looks < 4 || looks > 8 {
			t.Errorf("%d looks in 10 s, want one each 1.5 s", looks)
		}
		b.set("v2", nil)
		for range 20 {
			time.Sleep(100 * time.Millisecond)
			_, err := s.Catalog(t.Context())
			must(t, err)
		}
		took(t, s, "v2")
	})
}

func TestASlowDatabaseCostsASecondAtMost(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, s *Site[Tables], b *slowBackend, _ *bytes.Buffer) {
		b.slowDown(10 * time.Second)
		b.set("v2", nil)
		if waited := took(t, s, "v1"); waited != patience {
			t.Errorf("the first lookup waits %v", waited)
		}
		for range 10 {
			if waited := took(t, s, "v1"); waited != 0 {
				t.Errorf("a later lookup waits %v for the same look", waited)
			}
		}
		if err := s.LastError(); err != nil {
			t.Errorf("slow is no trouble: %v", err)
		}
		time.Sleep(10 * time.Second)
		b.slowDown(0)
		took(t, s, "v2")
	})
}

func TestADatabaseThatVanishesIsGivenUpOn(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, s *Site[Tables], b *slowBackend, log *bytes.Buffer) {
		b.slowDown(time.Hour)
		took(t, s, "v1")
		time.Sleep(lookLimit)
		took(t, s, "v1")
		if err := s.LastError(); err == nil || !strings.Contains(err.Error(), "database fake:db: no answer within 1m0s") {
			t.Errorf("got %v", err)
		}
		if !strings.Contains(log.String(), "no answer") {
			t.Errorf("log %q", log)
		}
	})
}

func TestPausesGrowWhileTheDatabaseFails(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, s *Site[Tables], b *slowBackend, log *bytes.Buffer) {
		before := s.Status()
		if before.Err != nil || before.Images != 1 || before.Database != "fake:db" || before.Read.IsZero() || !before.Since.IsZero() || !before.Retry.IsZero() {
			t.Errorf("status of a healthy site: %+v", before)
		}
		time.Sleep(time.Minute)
		down := time.Now()
		b.set("v2", errors.New("no more"))
		var pauses []time.Duration
		for last := down; time.Since(down) < 2*time.Minute; time.Sleep(100 * time.Millisecond) {
			looks := b.looks.Load()
			took(t, s, "v1")
			if b.looks.Load() > looks {
				pauses = append(pauses, time.Since(last))
				last = time.Now()
			}
			status := s.Status()
			if status.Err == nil || status.Since.Sub(down) > 2*time.Millisecond || !status.Read.Equal(before.Read) || !status.Retry.After(time.Now().Add(-time.Millisecond)) {
				t.Fatalf("status %+v, down since %v", status, down)
			}
		}
		want := []time.Duration{0, 1, 2, 4, 8, 15, 15}
		for i, w := range want {
			if off := pauses[i] - w*time.Second; off < 0 || off > 200*time.Millisecond {
				t.Errorf("pauses %v, want %v seconds", pauses, want)
				break
			}
		}
		if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "no more") {
			t.Errorf("%d warnings: %s", n, log)
		}
		b.set("v2", nil)
		time.Sleep(longestPause)
		took(t, s, "v2")
		status := s.Status()
		if status.Err != nil || !status.Since.IsZero() || status.Read.Before(down) {
			t.Errorf("status after the trouble: %+v", status)
		}
		if n := strings.Count(log.String(), "can be read again"); n != 1 {
			t.Errorf("%d times back: %s", n, log)
		}
		if b.set("v3", errors.New("again")); took(t, s, "v2") != 0 {
			t.Error("a failing look takes time")
		}
		if pause := time.Until(s.Status().Retry); pause != firstPause {
			t.Errorf("the pause of a new spell is %v", pause)
		}
	})
}

func TestClosingEndsALook(t *testing.T) {
	inBubble(t, 0, func(t *testing.T, s *Site[Tables], b *slowBackend, log *bytes.Buffer) {
		b.slowDown(30 * time.Second)
		took(t, s, "v1")
		start := time.Now()
		must(t, s.Close())
		if took := time.Since(start); took != 0 {
			t.Errorf("closing takes %v", took)
		}
		if _, err := s.Catalog(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("a closed site has rows: %v", err)
		}
		if log.Len() > 0 {
			t.Errorf("closing is logged: %s", log)
		}
	})
}
