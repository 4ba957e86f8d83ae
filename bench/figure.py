#!/usr/bin/env python3
"""Draws what bench/run.sh --json FILE wrote: how much faster limn is than the fastest peer of each case.

Usage: bench/figure.py FILE [--only REGEX] [--out docs/images/performance.svg]
"""

import argparse
import json
import math
import os
import re
from html import escape

ROW, LABEL, WIDTH, NAME, TOP = 14, 300, 300, 240, 34  # pixels: of a row, and of the columns label, bars, peer
STYLE = """text{font:11px sans-serif;fill:#222}.end{text-anchor:end}.middle{text-anchor:middle}.head{font-weight:bold}
.faster{fill:#3b7dbd}.slower{fill:#d9822b}.grid{stroke:#ddd}.one{stroke:#222}"""


def strongest(rows):
    """Of each case the row with the least ratio; limn itself counts as a peer only where there is no other."""
    best = {}
    for row in rows:
        old = best.get(row["case"])
        key = (row["peer"].startswith("limn"), row["ratio"])
        if old is None or key < (old["peer"].startswith("limn"), old["ratio"]):
            best[row["case"]] = row
    return list(best.values())


def draw(rows):
    low, high = -2, 3  # powers of two; a bar that would be longer ends there

    def x(ratio):
        at = min(max(math.log2(ratio), low), high)
        return round(LABEL + 20 + WIDTH * (at - low) / (high - low), 1)

    out, y, benchmark, one = [], TOP, None, x(1)
    for row in rows:
        head, name = row["case"].split(": ", 1)
        if head != benchmark:
            benchmark = head
            y += ROW // 2
            out.append(f'<text class="head" x="6" y="{y + 10}">{escape(head)}</text>')
            y += ROW + 2
        left, right = sorted((one, x(row["ratio"])))
        kind = "faster" if row["ratio"] >= 1 else "slower"
        out.append(f'<text class="end" x="{LABEL}" y="{y + 10}">{escape(name)}</text>'
                   f'<rect class="{kind}" x="{left}" y="{y + 1}" width="{right - left:.1f}" height="{ROW - 3}"/>'
                   f'<text x="{LABEL + WIDTH + 32}" y="{y + 10}">{row["ratio"]:.2f} {escape(row["peer"])}</text>')
        y += ROW
    grid = []
    for power in range(low, high + 1):
        at, kind = x(2**power), "one" if power == 0 else "grid"
        grid.append(f'<path class="{kind}" d="M{at} {TOP - 8}V{y + 4}"/>'
                    f'<text class="middle" x="{at}" y="{TOP - 14}">{2**power:g}</text>')
    width, height = LABEL + WIDTH + NAME, y + 10
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
                      f"<style>{STYLE}</style>", f'<rect width="{width}" height="{height}" fill="#fff"/>',
                      f'<text x="6" y="{TOP - 14}">time of the fastest peer over limn\'s</text>',
                      *grid, *out, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("file")
    parser.add_argument("--only", default="", help="the cases whose name matches this regular expression")
    images = os.path.join(os.path.dirname(__file__), "..", "docs", "images")
    parser.add_argument("--out", default=os.path.normpath(os.path.join(images, "performance.svg")))
    options = parser.parse_args()
    with open(options.file, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    rows = strongest(row for row in rows if row["ratio"] and row["peer"] and re.search(options.only, row["case"]))
    if not rows:
        parser.error(f"{options.file} has no case with a peer that matches")
    with open(options.out, "w", encoding="utf-8") as file:
        file.write(draw(rows))
    print(f"{options.out}: {len(rows)} cases")


main()
