package bundle

import "testing"

func TestHeadsAreMadeOnceForAPlanAndNotKept(t *testing.T) {
	entries := &tarEntries{top: "compute", members: []Member{bytesMember(t, "a", []byte("a"))}}
	entries.keepHeads()
	first, err := entries.head(2)
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := entries.head(2); &again[0] != &first[0] {
		t.Error("made again")
	}
	entries.forgetHeads()
	if again, _ := entries.head(2); &again[0] == &first[0] || string(again) != string(first) {
		t.Error("not made anew, or otherwise")
	}
	b := newBundle(t, newEngine(t, EngineOptions{}), "compute", entries.members...)
	if b.stream.entries.(*tarEntries).heads != nil {
		t.Error("a planned bundle keeps its heads")
	}
}
