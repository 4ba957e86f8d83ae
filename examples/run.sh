#!/usr/bin/env bash
# Builds the quickstart and runs it: trains a classifier that explains itself, on generated chest radiographs or on
# your images, and writes a report.
# Usage: examples/run.sh [--data DIR] [--size N] [--epochs N] [--out DIR] ... (all options: examples/run.sh --help)
set -euo pipefail
start=$PWD
cd "$(dirname "$0")/.."

out= help=
arguments=("$@")
for ((i = 0; i < $#; ++i)); do
  case ${arguments[i]} in
    --out) out=${arguments[i + 1]:-} ;;
    --out=*) out=${arguments[i]#--out=} ;;
    --help | -h | --version) help=yes ;;
  esac
done
if [[ -z $out ]]; then
  out=$PWD/runs/quickstart
  arguments+=(--out "$out")
fi

cmake/setup.sh
# Idle threads sleep: spinning ones are slow where other programs run too.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building the quickstart ..." >&2
{ cmake -S . -B build/examples -G Ninja -DCMAKE_BUILD_TYPE=Release -DLIMN_TESTS=OFF &&
  cmake --build build/examples --target quickstart --parallel "$(nproc)"; } >"$log" 2>&1 || { cat "$log"; exit 1; }

program=$PWD/build/examples/examples/quickstart
cd "$start" # so that relative paths mean what the caller meant
"$program" "${arguments[@]}"
[[ $help ]] || echo "report: $(realpath -- "$out")/report.html"
