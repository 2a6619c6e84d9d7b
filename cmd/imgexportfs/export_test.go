package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"imgexportfs/bundle"
)

func TestAChangedSourceComesWithAdvice(t *testing.T) {
	changed := fmt.Errorf("/install/x: %w", bundle.ErrChanged)
	if err := advised(changed); !errors.Is(err, bundle.ErrChanged) || !strings.HasSuffix(err.Error(), "; export it again") {
		t.Errorf("got %v", err)
	}
	if other := errors.New("other"); advised(other) != other {
		t.Errorf("got %v", advised(other))
	}
}
