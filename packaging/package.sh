#!/bin/bash
# Make the packages, the bills of materials and SHA256SUMS in DIST, which is made anew:
#
#   package.sh DIST [GOARCH...]      (this machine's architecture)
#
# The same commit gives the same bytes: the time is the commit's. Without git, set
# PACKAGE_VERSION and SOURCE_DATE_EPOCH.
set -euo pipefail
cd "$(dirname "$0")/.."
umask 022

dist=$1
host=$(go env GOHOSTARCH)
shift
[ $# -gt 0 ] || set -- "$host"
PACKAGE_VERSION=${PACKAGE_VERSION:-$(packaging/version.sh)}
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export PACKAGE_VERSION SOURCE_DATE_EPOCH
unset GOARCH GOOS # they are for the program that is packed, not for the tools

# build ARCH FILE: the version tells the commit, so the build need not look for it.
build() {
	CGO_ENABLED=0 GOARCH=$1 go build -trimpath -buildvcs=false \
		-ldflags "-s -w -X main.version=$PACKAGE_VERSION" -o "$2" ./cmd/imgexportfs
}

# package ARCH: root/ is what make install makes, with what only packages have.
package() {
	local build=$dist/build/$1
	mkdir -p "$build"
	build "$1" "$build/imgexportfs"
	make -s install BINARY="$build/imgexportfs" DOCS_BY="$dist/build/host" DESTDIR="$build/root" PREFIX=/usr
	find "$build/root/usr/share/man" -type f -exec gzip -9n {} +
	go run ./packaging/notices "$build/imgexportfs" > "$build/root/usr/share/doc/imgexportfs/third-party-licenses.txt"
	cp -R packaging/scripts packaging/copyright "$build"
	find "$build" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	for packager in deb rpm; do
		(cd "$build" && PACKAGE_ARCH=$1 "$nfpm" package --config "$OLDPWD/packaging/nfpm.yaml" --packager "$packager" --target "$dist")
	done
	go run ./packaging/sbom -version "$PACKAGE_VERSION" -time "$SOURCE_DATE_EPOCH" "$build/imgexportfs" \
		> "$dist/imgexportfs_${PACKAGE_VERSION}_$1.cdx.json"
}

rm -rf "$dist"
mkdir -p "$dist/build"
dist=$(realpath "$dist")
nfpm=$(go tool -modfile=packaging/tools/go.mod -n nfpm)
build "$host" "$dist/build/host"
for arch; do package "$arch"; done
(cd "$dist" && sha256sum -- *.deb *.rpm *.cdx.json > SHA256SUMS)
rm -rf "$dist/build"
