#!/usr/bin/env bash
# Usage: check.sh generic|x86-64-v3|x86-64-v4|refused CMAKE SOURCE_DIR COMPILER
# Builds project/ for one LIMN_ARCH in a temporary folder, runs it, and looks at its instructions.
# Prints "skipped: REASON" where this processor cannot run the program.
set -euo pipefail
arch=$1 cmake=$2 source=$3 compiler=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

configure() {
  "$cmake" -S "$source/tests/arch/project" -B "$work" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
    -DCMAKE_BUILD_TYPE=Release -DLIMN_SOURCE="$source" -DLIMN_IO=OFF -DLIMN_ARCH="$1" >"$work.log" 2>&1
}
trap 'rm -rf "$work" "$work.log"' EXIT

if [[ $arch == refused ]]; then
  configure x86-64-v9 && { echo "FAILED: LIMN_ARCH=x86-64-v9 is accepted"; exit 1; }
  tr -s ' \n' ' ' <"$work.log" | # CMake breaks lines
    grep -q 'LIMN_ARCH: expected one of native, x86-64-v3, x86-64-v4, generic, got "x86-64-v9"' ||
    { cat "$work.log"; echo "FAILED: another message was expected"; exit 1; }
  exit
fi

# What the processor must have, what the program says of itself, and the registers that it must not use.
case $arch in
  generic) needs=() says="SSE2 (4 floats at once)" forbidden='%[yz]mm' ;;
  x86-64-v3) needs=(avx2 bmi2 fma) says="AVX2 (8 floats at once)" forbidden='%zmm|%[xy]mm(1[6-9]|2[0-9]|3[01])|%k[1-7]' ;;
  x86-64-v4) needs=(avx512f avx512bw avx512cd avx512dq avx512vl) says="AVX-512 (16 floats at once)" forbidden= ;;
esac
for flag in ${needs[@]+"${needs[@]}"}; do
  grep -qw "$flag" /proc/cpuinfo || { echo "skipped: this processor has no $flag"; exit; }
done

configure "$arch" || { cat "$work.log"; exit 1; }
"$cmake" --build "$work" >"$work.log" || { cat "$work.log"; exit 1; }
"$work/arch" | tee "$work/said"
grep -qF ", $says," "$work/said" || { echo "FAILED: expected: $says"; exit 1; }
if [[ $forbidden ]]; then
  if ! command -v objdump >/dev/null; then
    echo "objdump is not installed: the instructions were not looked at"
  elif objdump -d --no-show-raw-insn "$work/arch" | grep -m 3 -E "$forbidden"; then
    echo "FAILED: these are not instructions of $arch"
    exit 1
  fi
fi
