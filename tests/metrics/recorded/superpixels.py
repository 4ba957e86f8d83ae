"""Writes recorded_superpixels.hpp beside this file: pictures, and the SLIC superpixels that scikit-image finds in them.

    pip install scikit-image==0.26.0 numpy==2.4.6
    python3 tests/metrics/recorded/superpixels.py
"""
import pathlib

import numpy as np
import skimage
from skimage.segmentation import slic

out = []
rng = np.random.default_rng(5)
y, x = np.mgrid[:32, :40] / 8.0


def put(name, image, compactness, count=25):
    image = np.round(image * 1024) / 1024
    labels = slic(image, n_segments=count, compactness=compactness, convert2lab=False, start_label=0, channel_axis=-1)
    numbers = ", ".join(repr(float(v)) for v in image.ravel())
    units = ", ".join(str(v) for v in labels.ravel())
    out.append(f"inline const std::vector<float> {name}_image{{{numbers}}};")
    out.append(f"inline const std::vector<limn::Index> {name}_units{{{units}}};")


blobs = sum(np.exp(-((y - a) ** 2 + (x - b) ** 2)) for a, b in rng.uniform(0, 4, (5, 2)))
put("blobs", blobs[..., None] + 0.013 * rng.random((32, 40, 1)), 1)
put("bright_blobs", blobs[..., None] + 0.013 * rng.random((32, 40, 1)), 0.1)
put("colours", np.stack([np.sin(x * y), np.cos(2 * x), y / 4], -1) + 0.1 * rng.random((32, 40, 3)), 0.3, 12)

here = pathlib.Path(__file__)
(here.parent / "recorded_superpixels.hpp").write_text(
    f"// Written by superpixels.py with scikit-image {skimage.__version__} and numpy {np.__version__}.\n#pragma once\n\n"
    "#include <vector>\n\n#include \"limn/core/config.hpp\"\n\n// clang-format off\nnamespace limn::testing {\n\n"
    + "\n".join(out) + "\n\n}  // namespace limn::testing\n")
