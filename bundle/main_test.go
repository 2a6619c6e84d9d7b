package bundle

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain fails if the tests leave a goroutine, but for a size pass whose engine is closed:
// it waits for ever, for only the end of the program closes an engine.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("imgexportfs/bundle.(*Bundle).findOffsets"))
}
