package main

import (
	"fmt"
	"path/filepath"
	"time"

	"imgexportfs/integration/xcatsite"
)

// small measures a site of small images, each with files of its own.
func (b *bench) small() error {
	site, err := b.rowsSite("small", b.scale.small, `'/install/t/image' || i || '.tmpl'`)
	if err != nil {
		return err
	}
	for i := range b.scale.small {
		name := fmt.Sprintf("/install/t/image%d.tmpl", i+1)
		if err := site.WriteFile(name, 0o644, xcatsite.Text(name, 3000)); err != nil {
			return err
		}
	}
	s, err := b.inTurn("small",
		b.makes("imgexport", "", `for template in "$2"/*.tmpl; do
			name=$(basename "$template" .tmpl)
			mkdir -p "$1/stage/$name"
			cp "$template" "$1/stage/$name"
			tar czf "$1/$name.tgz" -C "$1/stage" .
			rm -r "$1/stage"
		done`, site.Path("/install/t")),
		way{"cp", "", func() (time.Duration, error) {
			return b.onMount(site, nil, func(s *server) (time.Duration, error) {
				return b.making("cp", `cp "$2"/*.tgz "$1"`, s.dir)
			})
		}},
	)
	if err != nil {
		return err
	}
	b.table.title("%d small images", b.scale.small)
	b.table.race("`cp *.tgz`", s["cp"], "staged `cp` and `tar czf` of each", s["imgexport"], 0)
	return nil
}

// many measures what it costs to look at a site of many images.
func (b *bench) many() error {
	site, err := b.rowsSite("many", b.scale.rows, `'/install/t.tmpl'`)
	if err != nil {
		return err
	}
	if err := site.WriteFile("/install/t.tmpl", 0o644, []byte("t")); err != nil {
		return err
	}
	b.table.title("%d stateful images", b.scale.rows)
	for _, refresh := range []string{"2s", "60s"} {
		short, long := b.newLooks(site, "ls", refresh), b.newLooks(site, "ls -l", refresh)
		if _, err := b.inTurn("many, refresh "+refresh, short.way(), long.way()); err != nil {
			return err
		}
		short.report(&b.table, 300*time.Millisecond, 300*time.Millisecond)
		long.report(&b.table, 2*time.Second, 500*time.Millisecond)
	}
	return nil
}

// looks runs a command twice on each new mount.
type looks struct {
	bench       *bench
	site        *xcatsite.Site
	command     string
	refresh     string
	first, next samples
}

func (b *bench) newLooks(site *xcatsite.Site, command, refresh string) *looks {
	return &looks{bench: b, site: site, command: command, refresh: refresh}
}

func (l *looks) way() way {
	return way{l.command, "", func() (time.Duration, error) {
		return l.bench.onMount(l.site, []string{"--refresh", l.refresh}, func(s *server) (time.Duration, error) {
			for _, to := range []*samples{&l.first, &l.next} {
				took, err := timed(l.command+` "$1" > /dev/null`, s.dir)
				if err != nil {
					return 0, err
				}
				*to = append(*to, took)
			}
			return 0, nil
		})
	}}
}

func (l *looks) report(t *table, first, next time.Duration) {
	work := fmt.Sprintf("`%s`, `--refresh %s`, ", l.command, l.refresh)
	t.limit(work+"first", l.first.median(), first)
	t.limit(work+"again", l.next.median(), next)
}

// files measures a statelite image whose tree has many files.
func (b *bench) files() error {
	site, err := b.filesSite()
	if err != nil {
		return err
	}
	var again samples
	s, err := b.inTurn("files", way{"first", "", func() (time.Duration, error) {
		return b.onMount(site, []string{"--refresh", "60s"}, func(s *server) (time.Duration, error) {
			path := filepath.Join(s.dir, "image.tgz")
			first, err := stat(path)
			for i := 0; err == nil && i < 20; i++ {
				var took time.Duration
				took, err = stat(path)
				again = append(again, took)
			}
			return first, err
		})
	}})
	if err != nil {
		return err
	}
	b.table.title("statelite image of %d files", b.scale.files)
	b.table.limit("first `stat` after the mount, cold", s["first"].median(), 0)
	b.table.limit("next `stat` within the refresh interval", again.median(), 5*time.Millisecond)
	return nil
}
