#!/usr/bin/env bash
# Builds and runs all tests.
# Usage: tests/run.sh [--asan] [--data DIR] [--only REGEX]
#   --asan       under AddressSanitizer, UndefinedBehaviorSanitizer and leak detection
#   --data DIR   folder of real images (default: $LIMN_TEST_DATA, or shared/data beside the repository where it exists;
#                tests that need real images say so and pass where there are none)
#   --only REGEX the tests whose names match
set -euo pipefail
start=$PWD
cd "$(dirname "$0")/.."

preset=dev data=${LIMN_TEST_DATA:-} only=.
while (($#)); do
  case $1 in
    --asan) preset=asan ;;
    --data)
      data=$(cd "$start" && cd "${2:?--data needs a folder}" && pwd)
      shift
      ;;
    --only) only=${2:?--only needs a regular expression} && shift ;;
    --help | -h) sed -n '2,/^set/{s/^# \{0,1\}//p}' tests/run.sh && exit ;;
    *) echo "tests/run.sh: unknown option $1; see --help" >&2 && exit 2 ;;
  esac
  shift
done

cmake/setup.sh
cmake --preset "$preset" -DLIMN_TEST_DATA="$data" >/dev/null
cmake --build --preset "$preset" --parallel "$(nproc)"
ctest --preset "$preset" --tests-regex "$only"
