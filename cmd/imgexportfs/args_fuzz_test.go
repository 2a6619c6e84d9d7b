package main

import (
	"io"
	"slices"
	"strings"
	"testing"
)

// fuzzedPassword stands for a password. Nothing else of an input holds it.
const fuzzedPassword = "hUsH#0815"

// FuzzPasswordInArguments holds the passwords of command lines to this: wherever an
// argument is the location of a server with a user and a password, that is what is hidden,
// in the list of processes and in a message that repeats the argument.
func FuzzPasswordInArguments(f *testing.F) {
	f.Add("--cfgloc=", "mysql", "dbname=x;host=h", "user", "")
	f.Add("", "Pg", "dbname=x", "u", "|more")
	f.Add("-ocfgloc=", "DB2", "", "", "\n,\"")
	f.Add("XCATCFG=", "MYSQL", "host=[::1]", "a=b", ";x")
	f.Add("-vp", "pg", "password", "=", "\xff")
	f.Fuzz(func(t *testing.T, prefix, kind, place, user, rest string) {
		if !slices.Contains([]string{"mysql", "pg", "db2"}, strings.ToLower(kind)) || strings.ContainsAny(prefix+user, "|:") || strings.Contains(place, "|") ||
			prefix != "" && prefix[0] != '-' && !strings.HasSuffix(prefix, "=") || strings.Contains(prefix+kind+place+user+rest, fuzzedPassword) {
			return
		}
		arg := prefix + kind + ":" + place + "|" + user + "|" + fuzzedPassword + rest
		at := passwordAt([]string{"imgexportfs", arg}, 1)
		if at < 0 || at > strings.Index(arg, fuzzedPassword) {
			t.Fatalf("%q: a password is found at %d", arg, at)
		}
		original := []string{"imgexportfs", strings.Clone(arg)}
		if own := takeArgs(original); own[1] != arg || strings.Contains(original[1], fuzzedPassword) || len(original[1]) != len(arg) {
			t.Errorf("%q: ps shows %q, the program gets %q", arg, original[1], own[1])
		}
		for _, message := range []string{"no such thing: " + arg, "no such thing: " + quotedInner(arg)} {
			if shown := withoutPasswords(message, []string{"imgexportfs", arg}); strings.Contains(shown, fuzzedPassword) {
				t.Errorf("the message is %q", shown)
			}
		}
	})
}

// FuzzMountOptions holds -o to this: no option is lost or made up, an error names an option
// of the list and shows no location of a database, and what is taken is within its limits.
func FuzzMountOptions(f *testing.F) {
	for _, list := range []string{
		"ro,allow_other,umask=022", "uid=0,gid=4294967294", "uid=4294967295", "umask=1000", "umask=-1", "umask=0x7", `context="system_u:object_r:t:s0:c1,c2",ro`, `"`, `a"b,c"d`, ",,,", "x-systemd.automount,comment=a,nosuch",
		"root=/mnt,refresh=5", "memory=1GiB", "level=10", "cfgloc=mysql:x|u|" + fuzzedPassword, "mysql:x|u|" + fuzzedPassword, "ro=1", "log_file", "remount", "=", "==", "\x1b[2J", "fake=maybe", "options=ro",
	} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var list optionList
		if err := list.Set(text); err != nil {
			if strings.Contains(err.Error(), fuzzedPassword) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if got, want := strings.Join(list, ","), strings.Trim(text, ","); !strings.Contains(text, ",,") && strings.Count(text, `"`)%2 == 0 && got != want {
			t.Errorf("%q is taken for %q", text, []string(list))
		}
		var options mountOptions
		err := options.read(list, newMountFlags().forCommand(), func(string, string) error { return nil }, false)
		if err != nil {
			if !slices.ContainsFunc(list, func(option string) bool {
				name, _, _ := strings.Cut(option, "=")
				return strings.Contains(err.Error(), name) || strings.Contains(err.Error(), quotedInner(name))
			}) {
				t.Errorf("%q: the error names no option: %v", text, err)
			}
			return
		}
		if options.umask > 0o777 || options.uid == 1<<32-1 || options.gid == 1<<32-1 {
			t.Errorf("%q is taken for %+v", text, options)
		}
	})
}

// FuzzExportArguments holds the command line of export to this: every word is an operand,
// an option or its value; what follows "--" are operands; an error is one line.
func FuzzExportArguments(f *testing.F) {
	for _, line := range []string{
		"foo", "foo dest -e a -p n1 -v", "-vpn1 foo", "--post n1 foo", "-- -x", "a b c/", "--all dir/", "--nosuch", "-", "--", "foo -R root@mn2 -", "--e=a foo", "-e", "--cfgloc", "a -x", "--level=9 foo", "-? foo", "--help=x", "---", "-=", "--=", "-vvv foo", "foo --memory", "-ea:b foo",
	} {
		f.Add(strings.ReplaceAll(line, " ", "\x00"), true)
		f.Add(strings.ReplaceAll(line, " ", "\x00"), false)
	}
	f.Fuzz(func(t *testing.T, line string, bulk bool) {
		words := strings.Split(line, "\x00")
		args, err := parseExportArgs(words, bulk)
		if err != nil {
			if err.Error() == "" {
				t.Errorf("%q: an error without a word", words)
			}
			return
		}
		if args.help || args.version {
			return
		}
		for _, operand := range append(args.images, args.image, args.destination) {
			if operand != "" && !slices.Contains(words, operand) {
				t.Errorf("%q: the operand %q", words, operand)
			}
		}
		at := slices.Index(words, "--")
		if at >= 0 && at+1 < len(words) && words[at+1] != "" && at == 0 {
			if first := append(args.images, args.image)[0]; first != words[1] {
				t.Errorf("%q: the first image is %q", words, first)
			}
		}
		expectHost(t, args)
	})
}

// expectHost holds the host of -R to being no option of ssh.
func expectHost(t *testing.T, args *exportArgs) {
	t.Helper()
	if args.remote == "" {
		return
	}
	place, err := newRemotePlace(args.remote, args.destination, io.Discard)
	if err == nil && (strings.HasPrefix(place.host, "-") || !slices.Contains(place.sshArguments("f"), "--")) {
		t.Errorf("ssh gets %q", place.sshArguments("f"))
	}
}

// FuzzHelperArguments holds the command line of mount(8) to this: the command that does the
// same has the directory as its only operand, and the source in its own place.
func FuzzHelperArguments(f *testing.F) {
	for _, line := range []string{"none /mnt -o ro", "mysql:x|u|p /mnt -o rw,umask=022 -o a -sfnv", "none -o --root=/ /mnt", "-- -a -b", "none /mnt -N 1 -t fuse.x", "none", "a b c", "-o", "none /mnt -o", "--options=ro none /mnt"} {
		f.Add(strings.ReplaceAll(line, " ", "\x00"))
	}
	f.Fuzz(func(t *testing.T, line string) {
		h, err := parseHelperArgs(strings.Split(line, "\x00"))
		if err != nil {
			return
		}
		command := h.command()
		n := len(command)
		if command[n-2] != "--" || command[n-1] != h.dir || slices.Index(command, "--") != n-2 {
			t.Errorf("%q becomes %q", line, command)
		}
		for _, word := range command[2 : n-2] {
			if !strings.HasPrefix(word, "-") {
				t.Errorf("%q becomes %q, with the operand %q", line, command, word)
			}
		}
	})
}
