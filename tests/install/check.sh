#!/usr/bin/env bash
# Usage: check.sh package|subdirectory CMAKE BUILD_DIR SOURCE_DIR COMPILER VERSION
# Builds and runs consumer/ in a temporary folder. The package is moved after it was installed, because it must not
# remember where it was.
set -euo pipefail
way=$1 cmake=$2 build=$3 source=$4 compiler=$5 version=$6
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

options=(-G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Release)
if [[ $way == package ]]; then
  "$cmake" --install "$build" --prefix "$work/first" >"$work/log"
  mv "$work/first" "$work/moved"
  if grep -rn -e "$source" -e "$build" -e -march --exclude=LimnArch.cmake "$work/moved/share/cmake/limn"; then
    echo "FAILED: the installed package holds a path or flag of this machine (above)"
    exit 1
  fi
  options+=(-DCMAKE_PREFIX_PATH="$work/moved")
else
  options+=(-DLIMN_SOURCE="$source")
fi
"$cmake" -S "$source/tests/install/consumer" -B "$work/build" "${options[@]}"
"$cmake" --build "$work/build"

said=$("$work/build/consumer")
echo "the consumer says: $said"
[[ $said == "limn $version" ]] || { echo "FAILED: expected: limn $version"; exit 1; }
