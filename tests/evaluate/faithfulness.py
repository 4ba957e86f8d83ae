"""Writes recorded_faithfulness.hpp beside this file: pictures and a linear network, and every measure of faithfulness of
a map (the first channel), written here from the definitions, one picture at a time; numpy's log-spaced counts;
scipy's blur, as RISE's code uses it.

    pip install scipy==1.17.1 numpy==2.4.6
    python3 tests/evaluate/faithfulness.py
"""
import pathlib

import numpy as np
import scipy
from scipy import ndimage

out = []


def put(name, values, kind="double"):
    flat = ", ".join(repr(v.item()) for v in np.ravel(values))
    out.append(f"inline const std::vector<{kind}> {name}{{{flat}}};")


H, W, C, CLASSES, COUNT = 6, 7, 2, 3, 5
rng = np.random.default_rng(11)
images = rng.integers(0, 4097, (COUNT, H, W, C)) / 4096
weight = rng.integers(-32, 33, (CLASSES, H * W * C)) / 128
put("faithful_images", images, "float")
put("faithful_weight", weight, "float")


def probabilities(image):
    logits = weight @ image.ravel()
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


# RISE: a single one in the middle of a field of 11 x 11, blurred, is the kernel of a convolution with zeros outside.
single = np.zeros((11, 11))
single[5, 5] = 1
kernel = ndimage.gaussian_filter(single, 5)
blurred = np.stack([np.stack([ndimage.convolve(i[..., c], kernel, mode="constant") for c in range(C)], -1) for i in images])
put("faithful_blurred", blurred)
put("rise_kernel_middle", kernel[5] / kernel[5].sum())

RETENTION = [0.5, 0.6, 0.7, 0.8, 0.9, 0.925, 0.95, 0.975, 0.99]
N = H * W
rows = []
for image, blur in zip(images, blurred):
    p = probabilities(image)
    best = p.argmax()
    ranking = image[..., 0].ravel()
    most = np.argsort(-ranking)
    assert len(set(ranking)) == N

    def without(taken, instead):
        changed = image.reshape(N, C).copy()
        changed[taken] = instead.reshape(N, C)[taken]
        return probabilities(changed.reshape(H, W, C))

    black = np.zeros_like(image)
    agrees = lambda q: float(q.argmax() == best)
    row = [agrees(without(most[int(np.ceil(k * N - 1e-9)):], black)) for k in (0.1, 0.3, 0.5, 0.7, 0.9)]

    counts = sorted({0} | {N - int(np.ceil(r * N - 1e-9)) for r in RETENTION})
    x = np.array(counts) / N
    of = lambda order: [without(order[:c], black) for c in counts]
    mif, lif = of(most), of(most[::-1])
    area = lambda answers, value: np.trapezoid([value(q) for q in answers], x)
    row += [area(lif, agrees) - area(mif, agrees), area(lif, agrees), area(mif, agrees)]
    row.append(area(lif, lambda q: q[best]) - area(mif, lambda q: q[best]))

    top = [int(np.ceil(s * N - 1e-9)) for s in (0.01, 0.05, 0.1, 0.2, 0.5)]
    row.append(np.mean([p[best] - without(most[t:], black)[best] for t in top]))
    row.append(np.mean([p[best] - without(most[:t], black)[best] for t in top]))

    def causal(start, finish):  # step 5: CausalMetric.single_run
        scores, now = [], start.reshape(N, C).copy()
        for i in range((N + 4) // 5 + 1):
            scores.append(probabilities(now.reshape(H, W, C))[best])
            chosen = most[5 * i:5 * (i + 1)]
            now[chosen] = finish.reshape(N, C)[chosen]
        scores = np.array(scores)
        return (scores.sum() - scores[0] / 2 - scores[-1] / 2) / (len(scores) - 1)

    row += [causal(blur, image), causal(image, black)]
    rows.append(row)
put("faithful_values", np.array(rows))

for units in (25, 100, 1024):
    put(f"log_spaced_{units}", np.unique(np.geomspace(1, units, 15, dtype=int)), "limn::Index")

here = pathlib.Path(__file__)
(here.parent / "recorded_faithfulness.hpp").write_text(
    f"// Written by faithfulness.py with numpy {np.__version__} and scipy {scipy.__version__}.\n#pragma once\n\n"
    "#include <vector>\n\n#include \"limn/core/config.hpp\"\n\n// clang-format off\nnamespace limn::testing {\n\n"
    + "\n".join(out) + "\n\n}  // namespace limn::testing\n")
