#!/usr/bin/env bash
# Builds an example and runs it; the scripts that users call are short cuts to this one.
# Usage: examples/common/run.sh NAME [OPTION...]    (options: examples/common/run.sh NAME --help)
set -euo pipefail
start=$PWD name=$1
shift
cd "$(dirname "$0")/../.."

out= help= study=
arguments=("$@")
for ((i = 0; i < $#; ++i)); do
  case ${arguments[i]} in
    --out) out=${arguments[i + 1]:-} ;;
    --out=*) out=${arguments[i]#--out=} ;;
    --study) study=_${arguments[i + 1]:-} ;;
    --study=*) study=_${arguments[i]#--study=} ;;
    --help | -h | --version) help=yes ;;
  esac
done
if [[ -z $out ]]; then
  out=$PWD/runs/$name$study
  arguments+=(--out "$out")
fi

cmake/setup.sh
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building $name ..." >&2
{ cmake -S . -B build/examples -G Ninja -DCMAKE_BUILD_TYPE=Release -DLIMN_TESTS=OFF &&
  cmake --build build/examples --target "$name" --parallel "$(nproc)"; } >"$log" 2>&1 || { cat "$log"; exit 1; }

program=$PWD/build/examples/examples/$name
cd "$start" # so that relative paths mean what the caller meant
"$program" "${arguments[@]}"
[[ $help ]] || echo "report: $(realpath -- "$out")/report.html"
