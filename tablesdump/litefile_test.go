package tablesdump

import "testing"

func TestLiteFileCSV(t *testing.T) {
	got := string(LiteFileCSV("my_image", []LiteRow{
		{File: "/etc/b", Options: "link,persistent"},
		{File: "/etc/a"},
		{File: `/etc/a "quoted" file`, Options: "rw"},
	}))
	want := `"my_image","/etc/b","link,persistent",,` + "\n" +
		`"my_image","/etc/a","tmpfs",,` + "\n" +
		`"my_image","/etc/a "quoted" file","rw",,` + "\n"
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestLiteFileCSVWithoutRowsIsEmpty(t *testing.T) {
	if got := LiteFileCSV("x", nil); len(got) != 0 {
		t.Errorf("got %q", got)
	}
}
