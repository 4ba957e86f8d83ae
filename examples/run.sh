#!/usr/bin/env bash
# Builds the quickstart and runs it: trains a classifier that explains itself, on generated chest radiographs or on
# your images, and writes a report.
# Usage: examples/run.sh [--data DIR] [--size N] [--epochs N] [--out DIR] ... (all options: examples/run.sh --help)
exec "$(dirname "$0")/common/run.sh" quickstart "$@"
