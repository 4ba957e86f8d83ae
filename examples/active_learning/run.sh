#!/usr/bin/env bash
# Builds the studies of active learning and runs one: which pictures to annotate next, by uncertainty, by explanations or
# by both, on generated chest radiographs or on your images, with learning curves and tests in a report.
# Usage: examples/active_learning/run.sh [--study strategies|lambda|prototypes] [--data DIR] [--runs N] [--full]
#          [--resume] [--out DIR] ...    (all options: --help)
exec "$(dirname "$0")/../common/run.sh" active_learning "$@"
