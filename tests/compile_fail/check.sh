#!/usr/bin/env bash
# Usage: check.sh COMPILER FLAGS_FILE CASE
# CASE_bad.cpp must not compile: its first error must match the line `// expect: REGEX` in it, and the compiler must
# say no more than 15 lines (or the number in `// lines: N`). CASE_good.cpp must compile.
set -uo pipefail
compiler=$1 flags=$2 bad=$3_bad.cpp good=$3_good.cpp
export LC_ALL=C

fail() {
  printf '%s\n' "FAILED: $1" "--- the compiler said:" "$output"
  exit 1
}
compile() { output=$("$compiler" @"$flags" -fsyntax-only -fdiagnostics-color=never "$1" 2>&1); }

output=
expect=$(sed -n 's|^// expect: ||p' "$bad")
[[ -n $expect ]] || fail "$bad has no line '// expect: REGEX'"
budget=$(sed -n 's|^// lines: ||p' "$bad")
budget=${budget:-15}

[[ -f $good ]] || fail "$bad has no good twin $good"
compile "$good" || fail "$good does not compile"
compile "$bad" && fail "$bad compiles"

first=$(grep -m 1 'error:' <<<"$output") || fail "$bad: no line with 'error:'"
grep -qE -- "$expect" <<<"$first" || fail "the first error of $bad does not match: $expect"
lines=$(wc -l <<<"$output")
((lines <= budget)) || fail "$bad: $lines lines of messages, expected at most $budget"
echo "ok, $lines lines: $first"
