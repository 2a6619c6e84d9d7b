package fs

import (
	"context"
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
