package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"imgexportfs/bundle/source"
)

func TestAChangedSourceComesWithAdvice(t *testing.T) {
	changed := fmt.Errorf("/install/x: %w", source.ErrChanged)
	if err := advised(changed); !errors.Is(err, source.ErrChanged) || !strings.HasSuffix(err.Error(), "; try again") {
		t.Errorf("got %v", err)
	}
	if other := errors.New("other"); advised(other) != other {
		t.Errorf("got %v", advised(other))
	}
}
