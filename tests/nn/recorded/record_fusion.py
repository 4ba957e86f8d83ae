"""Writes recorded_fusion.hpp: what torch makes of two feature maps by an attention gate in its four forms, by
concatenation and by multiplication, in double.
Run: /usr/bin/python3 record_fusion.py > recorded_fusion.hpp   (torch 1.13.0a0, 1.13.1 of Debian 12)

Maps and weights are sines of the position in the library's order, so that both sides make them by the same formula
(test_fusion.cpp). Maps are recorded as (n, h, w, c).
"""
import math

import torch
import torch.nn.functional as F

N, CHANNELS, BETWEEN = 2, 6, 4


def wave(shape, speed, size):
    t = torch.arange(math.prod(shape), dtype=torch.float64)
    return (size * torch.sin(speed * t + 0.5)).reshape(shape)


def image(x):  # (n, h, w, c) -> (n, c, h, w)
    return x.permute(0, 3, 1, 2)


local, whole = image(wave((N, 5, 4, CHANNELS), 0.7, 1.3)), image(wave((N, 2, 3, CHANNELS), 1.9, 1.1))


def linear(x, speed, out, bias):
    y = torch.einsum("nchw,kc->nkhw", x, wave((out, x.shape[1]), speed, 0.9))
    return y + wave((out,), speed, 0.4)[None, :, None, None] if bias else y


def gate(softmax, of_global):
    if of_global:
        x, g = whole, F.interpolate(local, size=whole.shape[2:], mode="bilinear", align_corners=True)
    else:
        x, g = local, F.interpolate(whole, size=local.shape[2:], mode="bilinear", align_corners=False)
    q = linear(F.relu(linear(x, 2.3, BETWEEN, False) + linear(g, 3.1, BETWEEN, True)), 1.3, 1, True)
    alpha = torch.softmax(q.flatten(2), 2).reshape(q.shape) if softmax else torch.sigmoid(q)
    return alpha, alpha * x


def joined(x):
    return F.relu(linear(x, 2.9, CHANNELS, True))


aligned = F.interpolate(whole, size=local.shape[2:], mode="bilinear", align_corners=False)
results = {}
for name, softmax, of_global in (("sigmoid_local", False, False), ("softmax_local", True, False),
                                 ("sigmoid_global", False, True), ("softmax_global", True, True)):
    results["alpha_" + name], results["gate_" + name] = gate(softmax, of_global)
results["concatenate"] = joined(torch.cat([local, aligned], 1))
results["multiply"] = joined(local * aligned)

print("// Two maps joined by torch: record_fusion.py with torch " + torch.__version__ + ". Do not edit by hand.")
print("#pragma once\n\n#include <vector>\n\nnamespace limn::recorded::fusion {\n\n// clang-format off")
for name, value in results.items():
    numbers = ", ".join(f"{v:.12g}" for v in value.permute(0, 2, 3, 1).flatten().tolist())
    print(f"inline const std::vector<double> {name}{{{numbers}}};")
print("// clang-format on\n\n}  // namespace limn::recorded::fusion")
