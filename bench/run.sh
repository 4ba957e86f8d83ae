#!/usr/bin/env bash
# Builds the benchmarks as users build (Release, this machine's instruction set) and runs them one after the other.
# Usage: bench/run.sh [--quick] [--only REGEX] [--json FILE]
#   --quick       small sizes and few rounds, below 3 minutes once built: shows that all runs, the figures mean little
#   --only REGEX  the cases whose name matches (extended, as grep -E): "benchmark: case", as --json writes it
#   --json FILE   also writes a line of JSON for each peer of a case: {"case", "limn_ms", "peer", "peer_ms", "ratio"
#                 (peer over limn: above 1 limn is faster), "limn_mb", "peer_mb", "share_of_peak"}; null where it does
#                 not apply. bench/figure.py draws it
# A benchmark is bench/<name>.cpp. limn and its peers take turns in every case: limn in the program itself with each
# thread on its own CPU, the others in processes beside it (bench/harness/peer.hpp) that wait meanwhile and place their
# threads themselves. What is printed: the median of all calls, +- half the distance of the quartiles; the ratio of the
# medians, and the least and largest ratio of a round; the share of the machine's multiply-adds (those of the plain
# algorithm, over a peak measured in the same rounds); and the share of the CPUs that other processes took. Where that
# is above 5 % the case is taken again, three times in all at most.
# Peers that are not installed are left out and named. On Debian 12 they are python3-torch, python3-torchvision,
# libdnnl-dev, libdlib-dev and libopenblas-dev, and captum from PyPI.
set -euo pipefail
start=$PWD
cd "$(dirname "$0")/.."

arguments=() json= only=
while (($#)); do
  case $1 in
    --quick) arguments+=(--quick) ;;
    --json) json=${2:?--json needs a file} && shift ;;
    --only) only=${2:?--only needs a regular expression} && arguments+=(--only "$only") && shift ;;
    --help | -h) sed -n '2,/^set/{/^set/d;s/^# \{0,1\}//p}' bench/run.sh && exit ;;
    *) echo "bench/run.sh: unknown option $1; see --help" >&2 && exit 2 ;;
  esac
  shift
done
if [[ $json ]]; then
  [[ $json == /* ]] || json=$start/$json
  : >"$json"
  arguments+=(--json "$json")
fi
# limn's programs bind their threads themselves; a main thread that is bound before would pass its one CPU to the peers.
unset OMP_PROC_BIND OMP_PLACES

cmake/setup.sh
benchmarks=(network convolution layers lap explainers scaling compile_quickstart)
named=() # --only may name benchmarks; then only these are built
for name in "${benchmarks[@]}"; do
  [[ ! $only || ! $name: =~ $only ]] || named+=("$name")
done
((${#named[@]})) || named=("${benchmarks[@]}")

said=$(mktemp)
trap 'rm -f "$said"' EXIT
cmake --preset release -DLIMN_TESTS=OFF -DLIMN_EXAMPLES=OFF -B build/bench >"$said" &&
  cmake --build build/bench --parallel "$(nproc)" --target bench_peers "${named[@]/#/bench_}" >"$said" ||
  { cat "$said" && exit 1; }

processor=$(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo)
echo "$(date +%F), $(nproc) CPUs of ${processor:-an unknown kind}; $(c++ --version | sed 1q)"
for name in "${named[@]}"; do
  echo "== $name"
  status=0
  "build/bench/bench/bench_$name" "${arguments[@]}" || status=$?
  ((status == 0 || status == 77)) || { echo "$name ended with status $status" >&2 && exit 1; }
done
[[ ! $json ]] || echo "rows: $json"
