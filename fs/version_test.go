package fs

import (
	"errors"
	"testing"

	"imgexportfs/xcat"
)

func TestAWithdrawnBundleIsTriedAgain(t *testing.T) {
	v := &version{export: &xcat.Export{Image: "foo"}}
	if v.broken() {
		t.Error("a good version is to be replaced")
	}
	w := v.without(errors.New("input/output error"))
	if !w.broken() || w.bundle != nil || len(w.problems) != 1 {
		t.Errorf("after a failure: %+v", w)
	}
}
