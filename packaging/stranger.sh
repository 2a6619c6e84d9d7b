#!/bin/bash
# Type what README says, line by line, and tell how long each line took. For a fresh
# machine, as a person would do it who has the packages, README and nothing else:
#
#   stranger.sh README HEADING...
#
# The lines are those of the code blocks below each HEADING. The first that fails ends it.
set -euo pipefail
readme=$1
shift

# block HEADING prints the lines of code between that heading and the next one.
block() {
	awk -v heading="$1" '
		/^```/ { code = !code; next }
		!code && /^#/ { here = $0 ~ "^#+ " heading "$" }
		here && code' "$readme"
}

# seconds since the time that $1 tells as EPOCHREALTIME does.
seconds() { awk -v from="$1" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.2f", to - from }'; }

begun=$EPOCHREALTIME
for heading; do
	lines=$(block "$heading")
	[ -n "$lines" ] || { echo "README has no code below \"$heading\"" >&2; exit 1; }
	while IFS= read -r line <&3; do
		[ -n "$line" ] || continue
		printf '$ %s\n' "$line"
		at=$EPOCHREALTIME
		bash -c "$line" 2>&1 | sed 's/^/    /'
		printf '  [%s s]\n' "$(seconds "$at")"
	done 3<<< "$lines"
done
printf 'all of it: %s s\n' "$(seconds "$begun")"
