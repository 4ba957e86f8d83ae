#!/usr/bin/env bash
# Builds the studies of ALIGN and runs one: a classifier and a masker trained in turn, beside other methods, on generated
# chest radiographs of four clinics or on your images (DOMAIN/CLASS/PICTURE, or an index.csv with a column "domain"),
# with tables and tests in a report.
# Usage: examples/align/run.sh [--study methods|sources] [--data DIR] [--runs N] [--resume] [--out DIR] ...
#          (all options: --help)
exec "$(dirname "$0")/../common/run.sh" align "$@"
