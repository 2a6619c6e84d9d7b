#!/bin/bash
# Print the version of the packages, made of git describe so that dpkg and rpm order it:
#
#   v1.2.3              1.2.3
#   v1.3.0-rc1          1.3.0~rc1                       before 1.3.0
#   v1.2.3-4-gabcdef0   1.2.3+git4.abcdef0              after 1.2.3
#   no tag at all       0.0.0~git20261125.221.abcdef0   before every release: date, commits, commit
#   changed files       ...+dirty
set -euo pipefail

described=$(git describe --tags --match 'v[0-9]*' --long --always --dirty --abbrev=7) || {
	echo "version.sh: this is no git repository; set PACKAGE_VERSION and SOURCE_DATE_EPOCH" >&2
	exit 1
}
dirty=
if [[ $described == *-dirty ]]; then
	dirty=+dirty
	described=${described%-dirty}
fi
if [[ $described =~ ^v(.+)-([0-9]+)-g([0-9a-f]+)$ ]]; then
	# A hyphen ends the version for both, so that of a pre-release becomes a tilde.
	version=${BASH_REMATCH[1]//-/\~}
	if [ "${BASH_REMATCH[2]}" != 0 ]; then version+=+git${BASH_REMATCH[2]}.${BASH_REMATCH[3]}; fi
else
	# The number of commits orders those of one day.
	day=$(TZ=UTC git log -1 --format=%cd --date=format-local:%Y%m%d)
	version=0.0.0~git$day.$(git rev-list --count HEAD).$described
fi
echo "$version$dirty"
