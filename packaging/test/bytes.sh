#!/bin/bash
# What can be told of the packages without installing them: the same commit gives the same
# bytes, and they hold what make install installs.
source "$(dirname "$0")/lib.sh"

step "the checksums are those of the files"
(cd "$dist" && sha256sum --quiet -c SHA256SUMS)

if [ -z "$(git status --porcelain)" ]; then
	step "built again in another directory, the bytes are the same"
	git clone --quiet . "$work/again"
	"$work/again/packaging/package.sh" "$work/again/dist" $(cd "$dist" && ls *.cdx.json | sed 's/.*_//; s/\.cdx\.json//')
	same "two builds" "$dist/SHA256SUMS" "$work/again/dist/SHA256SUMS"
	rm -rf "$work/again"
else
	step "not built again, because there are changes that are not committed"
fi

step "the files are those of make install"
make -s install BINARY="$work/unpacked/usr/bin/imgexportfs" DESTDIR="$work/installed" PREFIX=/usr
(cd "$work/installed" && find . ! -type d -printf '/%P\n') | sed '/\/man\//s/$/.gz/' > "$work/files"
# Packages have this besides.
printf '%s\n' /etc/imgexportfs.yaml /usr/share/doc/imgexportfs/third-party-licenses.txt >> "$work/files"
sort -o "$work/files" "$work/files"

dpkg-deb --fsys-tarfile "$(deb)" | tar t | sed -n 's/^\.//; /[^/]$/p' | sort > "$work/deb-files"
(sed 's/site-functions/vendor-completions/' "$work/files"; echo /usr/share/doc/imgexportfs/copyright) | sort |
	same "the files of make install and of the .deb" - "$work/deb-files"
rpm -qp --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$(rpm_file)" | sed -n 's/^[^d][^ ]* //p' | sort > "$work/rpm-files"
same "the files of make install and of the .rpm" "$work/files" "$work/rpm-files"

step "all belongs to root, and only root may write it"
(dpkg-deb -c "$(deb)" | awk '{ print $1, $2, $6 }'
	rpm -qp --qf '[%{FILEMODES:perms} %{FILEUSERNAME}/%{FILEGROUPNAME} %{FILENAMES}\n]' "$(rpm_file)") > "$work/modes"
wrong=$(awk '$2 != "root/root" || $1 !~ /^l/ && $1 ~ /^.(....w|.......w)/' "$work/modes")
[ -z "$wrong" ] || fail "$wrong"
