package fs

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

// All views of an image wait for one walk. When it hangs, also those give up that have come
// after the call that hangs.
func TestAViewGivesUpAWalkThatAnotherOneHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		vs := open(t, siteDir(t, 3), 0, 0)
		ctx, end := context.WithTimeout(t.Context(), time.Minute)
		defer end()
		began, gate := time.Now(), make(chan struct{})
		vs.trees.walk = func(ctx context.Context, root *source.Root, dir, name string) (*bundle.Tree, source.Findings, error) {
			<-gate
			return bundle.NewTree(ctx, root, dir, name)
		}
		vs.stuck = func(longer time.Duration) []source.Call {
			if time.Since(began) <= longer {
				return nil
			}
			return []source.Call{{Path: "/lite/rootimg", Since: began}}
		}
		r := vs.mustLook(t)
		for _, node := range []string{"", "n1", "n2"} {
			asked := time.Now()
			_, err := vs.present(ctx, r, view{node, "lite"})
			if took := time.Since(asked); !isTimeout(err) || took > fullPatience+stuckPoll {
				t.Errorf("as seen from node %q: %v, after %v", node, err, took)
			}
		}
		close(gate)
	})
}

// A tree that changes while it is walked refuses nothing, also if the image is refused for
// another reason when it is looked at once more. When that has gone, it is listed again.
func TestATreeThatChangesIsNoReasonToRefuse(t *testing.T) {
	dir := siteDir(t, 3)
	vs := open(t, dir, 0, 0)
	kernel, of := filepath.Join(dir, "lite/kernel"), view{"", "lite"}
	move := func(from, to string) {
		if err := os.Rename(from, to); err != nil {
			t.Error(err)
		}
	}
	vs.trees.walk = func(context.Context, *source.Root, string, string) (*bundle.Tree, source.Findings, error) {
		move(kernel, kernel+".away")
		return nil, nil, source.ErrChanged
	}
	if v := vs.mustPresent(t, of); !v.refused {
		t.Error("not refused without a kernel")
	}
	move(kernel+".away", kernel)
	if s, err := vs.summary(t.Context(), vs.mustLook(t), of); err != nil || s.refused {
		t.Errorf("with the kernel: refused %v, %v", s.refused, err)
	}
}
