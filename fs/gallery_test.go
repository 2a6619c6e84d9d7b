package fs

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// oneImage is a gallery of one stateful image, "compute".
func oneImage(t *testing.T) (*gallery, exhibit) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"osimage.csv":    "#imagename,profile,provmethod,osvers,osarch,imagetype\n\"compute\",\"compute\",\"install\",\"rhels9\",\"x86_64\",\"linux\"\n",
		"linuximage.csv": "#imagename,template\n\"compute\",\"/t.tmpl\"\n",
		"t.tmpl":         "%packages\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	site, err := xcat.OpenSite(context.Background(), xcat.Config{Root: dir, Cfgloc: "CSV:/", Refresh: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	engine, err := bundle.NewEngine(bundle.EngineOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	return newGallery(site, engine, newInodes(), time.Hour), exhibit{"", "compute"}
}

func TestTheWarmerSharesItsVersionWithWhoAsksMeanwhile(t *testing.T) {
	ctx := context.Background()
	g, of := oneImage(t)
	mine, done, err := g.borrow(ctx, of)
	if err != nil || mine.bundle == nil {
		t.Fatal(mine, err)
	}
	theirs, err := g.present(ctx, of)
	if err != nil || theirs != mine {
		t.Errorf("another version, %v", err)
	}
	done()
	if g.known(of) != mine {
		t.Error("a version that was asked for is forgotten")
	}
}

func TestTheWarmerTakesTheVersionThatThereIs(t *testing.T) {
	ctx := context.Background()
	g, of := oneImage(t)
	theirs, err := g.present(ctx, of)
	if err != nil {
		t.Fatal(err)
	}
	mine, done, err := g.borrow(ctx, of)
	if err != nil || mine != theirs {
		t.Errorf("another version, %v", err)
	}
	done()
	if g.known(of) != theirs {
		t.Error("a version that was asked for is forgotten")
	}
}

func TestAVersionThatOnlyTheWarmerSawStaysIfItWasListed(t *testing.T) {
	ctx := context.Background()
	for _, listed := range []bool{false, true} {
		g, of := oneImage(t)
		catalog, _, err := g.look(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if listed {
			if _, err := g.brief(ctx, catalog, of); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.warmer.size(ctx, of); err != nil {
			t.Fatal(err)
		}
		if kept := g.known(of) != nil; kept != listed {
			t.Errorf("listed %v: kept %v", listed, kept)
		}
	}
}
