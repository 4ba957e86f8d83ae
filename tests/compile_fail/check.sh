#!/usr/bin/env bash
# Usage: check.sh COMPILER FLAGS_FILE CASE.cpp
# CASE.cpp must compile as it stands. With BAD defined it must not: the first error must match the line
# `// expect: REGEX` in it, and the compiler must say no more than 15 lines (or the number in `// lines: N`).
set -uo pipefail
compiler=$1 flags=$2 case=$3
export LC_ALL=C

fail() {
  printf '%s\n' "FAILED: $1" "--- the compiler said:" "$output"
  exit 1
}
compile() { output=$("$compiler" @"$flags" -fsyntax-only -fdiagnostics-color=never "$@" "$case" 2>&1); }

output=
expect=$(sed -n 's|^// expect: ||p' "$case")
[[ -n $expect ]] || fail "$case has no line '// expect: REGEX'"
budget=$(sed -n 's|^// lines: ||p' "$case")
budget=${budget:-15}

compile || fail "$case does not compile"
compile -DBAD && fail "$case compiles with BAD"

first=$(grep -m 1 'error:' <<<"$output") || fail "$case: no line with 'error:'"
grep -qE -- "$expect" <<<"$first" || fail "the first error of $case does not match: $expect"
lines=$(wc -l <<<"$output")
((lines <= budget)) || fail "$case: $lines lines of messages, expected at most $budget"
echo "ok, $lines lines: $first"
