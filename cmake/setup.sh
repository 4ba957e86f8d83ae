#!/usr/bin/env bash
# Installs what limn needs on Debian 12, and only what is missing: quick, silent and without network when all is there.
# Usage: cmake/setup.sh [--lint]    --lint adds the formatter and linter that .ci/run uses
set -euo pipefail

packages=(g++ cmake ninja-build ccache mold libeigen3-dev libxtensor-dev libxsimd-dev doctest-dev nlohmann-json3-dev
  libpng-dev libjpeg-dev libjansson-dev libcli11-dev libfmt-dev)
case ${1:-} in
  '') ;;
  --lint) packages+=(clang-format clang-tidy libomp-dev) ;;
  *) echo "cmake/setup.sh: unknown option $1 (expected --lint or nothing)" >&2; exit 2 ;;
esac

# Elsewhere than on Debian, CMake says what it cannot find.
command -v dpkg-query >/dev/null && command -v apt-get >/dev/null || exit 0

installed=$(dpkg-query --show --showformat '${Package} ${db:Status-Status}\n' "${packages[@]}" 2>/dev/null || true)
missing=()
for package in "${packages[@]}"; do
  grep -qxF "$package installed" <<<"$installed" || missing+=("$package")
done
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
  command -v sudo >/dev/null || { echo "limn needs, as root: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}" >&2
export DEBIAN_FRONTEND=noninteractive
install() { "${as_root[@]}" apt-get install --yes --quiet --quiet --no-install-recommends "${missing[@]}"; }
# The package lists may be old or absent; they are fetched only then.
install >/dev/null 2>&1 || { "${as_root[@]}" apt-get update --quiet --quiet && install; }
