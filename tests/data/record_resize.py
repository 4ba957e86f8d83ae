"""Writes recorded_resize.hpp: bilinear resizing with antialias by torch.
Run: /usr/bin/python3 record_resize.py > recorded_resize.hpp   (torch 1.13.0a0)
"""
import torch

torch.manual_seed(5)
print(f"// Recorded by record_resize.py with torch {torch.__version__}.")
print("""#pragma once

#include <vector>

namespace recorded {

struct Resize {
  long in_height, in_width, channels, out_height, out_width;
  std::vector<float> in, out;  // (H, W, C)
};

inline const std::vector<Resize> resizes = {""")
for size, out, channels in [((7, 5), (3, 4), 1), ((4, 6), (9, 7), 1), ((5, 8), (5, 3), 3), ((11, 3), (2, 2), 1)]:
    image = torch.rand(1, channels, *size)
    result = torch.nn.functional.interpolate(image, size=out, mode="bilinear", align_corners=False, antialias=True)
    flat = [", ".join(f"{float(v):.7g}f" for v in t[0].permute(1, 2, 0).reshape(-1)) for t in (image, result)]
    print(f"    {{{size[0]}, {size[1]}, {channels}, {out[0]}, {out[1]}, {{{flat[0]}}}, {{{flat[1]}}}}},")
print("};\n\n}  // namespace recorded")
