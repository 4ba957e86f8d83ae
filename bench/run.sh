#!/usr/bin/env bash
# Builds the benchmarks as users build (Release, this machine's instruction set) and runs them one after the other.
# Usage: bench/run.sh [--quick] [--json FILE] [--only REGEX]
#   --quick      small sizes and few repetitions: shows that all runs, the figures mean little
#   --json FILE  also writes all rows to FILE, as one JSON array
#   --only REGEX the benchmarks whose names match
# A benchmark is bench/<name>.cpp or, for a peer that is compared with, bench/<name>.py or bench/<name>.sh; it is called
# with --quick or nothing. It prints text for people, and each result as a line of its own that starts with {"bench":.
# Exit status 77 says that a peer is not installed.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")/.."

quick=() json= only=.
while (($#)); do
  case $1 in
    --quick) quick=(--quick) ;;
    --json) json=${2:?--json needs a file} && shift ;;
    --only) only=${2:?--only needs a regular expression} && shift ;;
    --help | -h) sed -n '2,/^set/{s/^# \{0,1\}//p}' bench/run.sh && exit ;;
    *) echo "bench/run.sh: unknown option $1; see --help" >&2 && exit 2 ;;
  esac
  shift
done

cmake/setup.sh
rows=$(mktemp) said=$(mktemp)
trap 'rm -f "$rows" "$said"' EXIT
shopt -s nullglob

targets=()
for source in bench/*.cpp; do
  name=$(basename "$source" .cpp)
  [[ $name =~ $only ]] && targets+=("bench_$name")
done
if ((${#targets[@]})); then
  cmake --preset release -DLIMN_TESTS=OFF -DLIMN_BENCH=ON -B build/bench >/dev/null
  cmake --build build/bench --target "${targets[@]}" --parallel "$(nproc)" >"$said" || { cat "$said"; exit 1; }
fi

run() { # name, command
  local name=$1 status=0
  [[ $name =~ $only ]] || return 0
  shift
  echo "== $name"
  "$@" "${quick[@]}" | tee "$said" || status=$?
  grep '^{"bench":' "$said" >>"$rows" || true
  case $status in
    0) ;;
    77) echo "(not installed here)" ;;
    *) echo "$name ended with status $status" >&2 && exit 1 ;;
  esac
}
for target in "${targets[@]}"; do run "${target#bench_}" "build/bench/bench/$target"; done
for script in bench/*.py; do run "$(basename "$script" .py)" python3 "$script"; done
for script in bench/*.sh; do
  [[ $script == bench/run.sh ]] || run "$(basename "$script" .sh)" bash "$script"
done

if [[ $json ]]; then
  cd "$start"
  { echo '[' && sed '$!s/$/,/' "$rows" && echo ']'; } >"$json"
  echo "rows: $json"
fi
