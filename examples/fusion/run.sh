#!/usr/bin/env bash
# Builds the study of fused networks and runs it: two branches joined by an attention gate, concatenation or product,
# what they know and what they show, on generated chest radiographs or on your images.
# Usage: examples/fusion/run.sh [--study folds|annotators] [--data DIR] [--annotations DIR] [--runs N] [--full]
#          [--resume] [--out DIR] ...    (all options: --help)
exec "$(dirname "$0")/../common/run.sh" fusion "$@"
