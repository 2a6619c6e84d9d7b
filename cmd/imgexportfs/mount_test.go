package main

import (
	"strings"
	"testing"
)

func TestMountOptions(t *testing.T) {
	for text, want := range map[string]mountOptions{
		"ro":                        {umask: 0o077},
		"allow_other":               {umask: 0o077, allowOther: true},
		"umask=022":                 {umask: 0o022},
		"umask=0":                   {umask: 0},
		"passthrough":               {umask: 0o077, passthrough: true},
		"nonempty":                  {umask: 0o077, nonEmpty: true},
		"ro,umask=0027,allow_other": {umask: 0o027, allowOther: true},
		"umask=022,umask=777":       {umask: 0o777},
	} {
		got := (&mountOptions{umask: privateUmask})
		if err := got.Set(text); err != nil || *got != want {
			t.Errorf("-o %s: %+v, %v; want %+v", text, *got, err, want)
		}
	}
}

func TestMountOptionsAddUp(t *testing.T) {
	got := (&mountOptions{umask: privateUmask})
	for _, text := range []string{"allow_other", "umask=022"} {
		if err := got.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	if want := (mountOptions{umask: 0o022, allowOther: true}); *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}

func TestMountOptionsRefuseWhatTheyDoNotKnow(t *testing.T) {
	for text, want := range map[string]string{
		"":               `unknown option ""`,
		"ro,":            `unknown option ""`,
		"rw":             "always read-only",
		"uid=0":          `unknown option "uid=0"`,
		"allow_other=1":  `unknown option "allow_other=1"`,
		"passthrough=no": `unknown option "passthrough=no"`,
		"nonempty=yes":   `unknown option "nonempty=yes"`,
		"umask":          `unknown option "umask"`,
		"umask=":         "not an octal number",
		"umask=8":        "not an octal number",
		"umask=1000":     "not an octal number",
		"umask=-1":       "not an octal number",
		"ro,nosuchthing": `unknown option "nosuchthing"`,
	} {
		err := (&mountOptions{umask: privateUmask}).Set(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("-o %s: error %v, want it to hold %q", text, err, want)
		}
	}
}
