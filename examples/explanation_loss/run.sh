#!/usr/bin/env bash
# Builds the studies of explanation losses and runs one: what they buy and what they cost, on generated chest
# radiographs or on your images, with tables, figures and tests in a report.
# Usage: examples/explanation_loss/run.sh [--study trade_off|strength|shortcut|noise] [--data DIR] [--runs N] [--full]
#          [--resume] [--out DIR] ...    (all options: --help)
exec "$(dirname "$0")/../common/run.sh" explanation_loss "$@"
