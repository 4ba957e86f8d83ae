#!/usr/bin/env bash
# Usage: check.sh COMPILER FLAGS_FILE FILE.md...
# Compiles every C++ block of the documents as it stands. A block that begins with #include is a whole file. Any other
# has a comment on the line before it:
#   <!-- snippet: after NAME -->    declarations, put after #include "NAME.hpp" of this folder
#   <!-- snippet: inside NAME -->   statements, put into a function after that #include
#   <!-- snippet: skip REASON -->   not compiled
set -euo pipefail
compiler=$1 flags=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk -v work="$work" '
  function refuse(why) { print "FAILED: " FILENAME ":" FNR ": " why; bad = 1 }
  FNR == 1 { rule = ""; block = "" }
  block == "" && /^```(cpp|c\+\+)[ \t]*$/ {
    if (rule ~ /^skip ./) { print "skipped: " FILENAME ":" FNR ": " substr(rule, 6); skipped = 1 } else skipped = 0
    block = work "/" ++count ".cpp"; first = 1; close_with = ""; next
  }
  block != "" && /^```/ {
    if (!skipped && first) refuse("an empty block")
    if (!skipped && !first) { if (close_with != "") print close_with > block; close(block) }
    block = ""; rule = ""; next
  }
  block != "" && !skipped {
    if (first) {
      if (/^[ \t]*$/) next
      first = 0
      split(rule, part, " ")
      if (part[1] == "after" || part[1] == "inside") print "#include \"" part[2] ".hpp\"" > block
      else if ($0 !~ /^#include/) { refuse("neither #include nor a line <!-- snippet: ... --> above"); skipped = 1; next }
      if (part[1] == "inside") { print "inline void snippet() {" > block; close_with = "}" }
      print "#line " FNR " \"" FILENAME "\"" > block
    }
    print > block; next
  }
  block == "" && /^<!-- snippet: .* -->$/ { rule = substr($0, 15, length($0) - 18); next }
  block == "" && !/^[ \t]*$/ { rule = "" }
  END { exit bad }
' "$@"

# Warnings that are about an example being an example are not errors: only what the compiler refuses counts.
export compiler flags here
compile() { "$compiler" @"$flags" -I"$here" -fsyntax-only "$1"; }
export -f compile
find "$work" -name '*.cpp' -print0 | xargs -0 -r -n 1 -P "$(nproc)" bash -c 'compile "$0"' ||
  { echo "FAILED: a block does not compile (above)"; exit 1; }
echo "snippets: $(find "$work" -name '*.cpp' | wc -l) blocks compile"
