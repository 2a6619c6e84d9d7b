package main

// receiver runs on the other host with the path and the name to use in a directory. It
// keeps the rules of localPlace.file. As on this host the bundle has a hidden temporary name
// until it is complete and on the disk.
//
// A lost connection looks like the end of the bundle, and the last source may turn out
// to have changed after all bytes are sent. So the size follows a good bundle, in 20
// bytes that are cut off. The last line on stdout says that all is well, because not
// every host runs what it is asked to: an account may be limited to one command.
//
// The script is one line, and without "!", because the login shell that hands it to sh
// may be a csh. SIGPIPE is ignored, because a message must not end the shell before the
// file is removed when the connection is lost. mktemp, readlink -f, truncate and mv -T are
// those of coreutils and of busybox.
const receiver = `umask 077; tmp=; trap "" PIPE; ` +
	`trap "exit 1" HUP INT TERM; trap "[ -z \"\$tmp\" ] || rm -f \"\$tmp\"" EXIT; ` +
	`refuse() { echo "destination $t: $1" >&2; exit 1; }; ` +
	`special() { refuse "is a $1, and export writes a complete file or nothing; name a file or a directory"; }; ` +
	`enter() { [ -d "$1" ] || refuse "there is no directory $1"; cd -P "$1" || exit 1; ` +
	`case $(pwd -P)/ in /dev/|/proc/*) special device;; esac; }; ` +
	// The path, with a slash in it.
	`t=$1; case $t in ""|*/) t=$t$2;; *) if [ -d "$t" ]; then t=$t/$2; fi;; esac; ` +
	`case $t in /*) ;; *) t=./$t;; esac; ` +
	// Its directory becomes the working directory, and f the file in it.
	`enter "${t%/*}/"; f=./${t##*/}; ` +
	// A link is followed. The x keeps newlines at the end of a name.
	`if [ -L "$f" ]; then [ -e "$f" ] || refuse "is a symbolic link to nothing"; ` +
	`l=$(readlink -f "$f" && echo x) || exit 1; l=${l%?x}; enter "${l%/*}/"; f=./${l##*/}; fi; ` +
	`if [ -d "$f" ]; then refuse "is a directory"; fi; ` +
	`if [ -p "$f" ]; then special fifo; fi; if [ -S "$f" ]; then special socket; fi; ` +
	`if [ -e "$f" ]; then [ -f "$f" ] || special device; fi; ` +
	`tmp=$(mktemp ./.imgexport-XXXXXX) || refuse "cannot write in its directory"; ` +
	`cat >"$tmp" || refuse "was not written"; ` +
	`n=$(wc -c <"$tmp"); s=$((n-20)); [ "$(tail -c 20 "$tmp" | tr -cd 0-9)" = "$s" ] || ` +
	`refuse "the bundle ends after $n bytes, because the sender has failed or the connection is lost"; ` +
	`truncate -s "$s" "$tmp" || refuse "was not written"; ` +
	`{ sync "$tmp" 2>/dev/null || sync; } && mv -fT "$tmp" "$f" && { sync . 2>/dev/null || sync; } || refuse "was not written"; ` +
	`echo "` + receipt + `$s"`

// endOfBundle is the format of what follows a complete bundle.
const endOfBundle = "%20d"

// receipt stands before the size in the receiver's last line.
const receipt = "imgexport received "
