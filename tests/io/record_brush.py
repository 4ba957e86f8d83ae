"""Writes recorded_brush.hpp: masks as brush strokes, encoded by Label Studio's own converter.
Run: python record_brush.py > recorded_brush.hpp   (label-studio-converter 0.0.59, numpy 2)

label_studio_converter/brush.py alone is needed, on the path.
"""
import importlib.util
import sys

import numpy

spec = importlib.util.spec_from_file_location("brush", sys.argv[1] if len(sys.argv) > 1 else "brush.py")
brush = importlib.util.module_from_spec(spec)
spec.loader.exec_module(brush)

random = numpy.random.RandomState(3)
rows, columns = numpy.mgrid[:30, :41]
masks = {
    "stripes": numpy.tile([1, 0, 1, 1, 0], (4, 1)),
    "disc": (rows - 12) ** 2 + (columns - 25) ** 2 < 81,
    "noise": random.rand(9, 13) < 0.4,
    "wide": numpy.arange(300 * 70).reshape(70, 300) > 20000,  # zeros for longer than 16 bits tell
}
print("// Brush strokes of label-studio-converter 0.0.59: record_brush.py. Do not edit by hand.")
print("#pragma once\n\n#include <cstdint>\n#include <string>\n#include <vector>\n\nnamespace limn::recorded {\n")
print("struct Brush {\n  int h, w;\n  std::string mask;  // run lengths, beginning with zeros\n  std::vector<std::uint8_t> rle;\n};\n")
print("// clang-format off\ninline const std::vector<Brush> brushes{")
for mask in masks.values():
    mask = mask.astype(numpy.uint8)
    rle = brush.mask2rle(mask * 255)
    assert (brush.decode_rle(rle).reshape(*mask.shape, 4)[:, :, 3] == mask * 255).all()
    runs, value = [0], 0
    for v in mask.ravel():
        if v != value:
            runs.append(0)
            value = v
        runs[-1] += 1
    print(f'    {{{mask.shape[0]}, {mask.shape[1]}, "{" ".join(map(str, runs))}", {{{", ".join(map(str, rle))}}}}},')
print("};\n// clang-format on\n\n}  // namespace limn::recorded")
