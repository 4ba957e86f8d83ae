#!/usr/bin/env bash
# Builds the studies of LAP and runs one: how well LAP networks classify and where they look, beside other explainers, on
# generated chest radiographs or on your images, with tables and tests in a report.
# Usage: examples/lap/run.sh [--study localisation|faithfulness|ablation|depths|time] [--data DIR] [--runs N] [--full]
#          [--resume] [--out DIR] ...    (all options: --help)
exec "$(dirname "$0")/../common/run.sh" lap "$@"
