"""Writes recorded_groups.hpp: what torch.nn.Conv2d with groups computes, in double.
Run: /usr/bin/python3 record_groups.py > recorded_groups.hpp   (torch 1.13.0a0, 1.13.1 of Debian 12)

Images are recorded as (n, h, w, c) and weights as (out, kernel, kernel, in / groups), the library's order. Inputs are
rounded to four digits, so that the header holds exactly what torch saw.
"""
import torch

torch.manual_seed(6)


def rounded(x):
    return (x * 1e4).round() / 1e4


def row(name, values):
    values = values.detach()
    if values.dim() == 4:
        values = values.permute(0, 2, 3, 1)
    return f"    .{name} = {{{', '.join(repr(v) for v in values.reshape(-1).tolist())}}},"


print("// Recorded by record_groups.py with torch", torch.__version__, "in double. Do not edit by hand.")
print("#pragma once\n\n#include <vector>\n\nnamespace recorded {\n")
print("/// A layer's numbers; `up` is the gradient that arrives at y.")
print("struct Layer {\n  std::vector<double> x, weight, bias, y, up, dx, dweight, dbias;\n};\n\n// clang-format off")
#          name         in out kernel stride padding groups
CASES = [("depthwise", 5, 5, 3, 2, 1, 5), ("grouped", 4, 6, 3, 1, 1, 2), ("multiplied", 3, 6, 2, 1, 0, 3)]
for name, c, k, kernel, stride, padding, groups in CASES:
    layer = torch.nn.Conv2d(c, k, kernel, stride, padding, groups=groups).double()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(rounded(torch.randn_like(parameter)))
    x = rounded(torch.randn(2, c, 4, 5, dtype=torch.float64)).requires_grad_()
    y = layer(x)
    up = rounded(torch.randn_like(y))
    dx, dweight, dbias = torch.autograd.grad(y, (x, layer.weight, layer.bias), up)
    print(f"inline const Layer {name} = {{")
    for what, values in dict(x=x, weight=layer.weight, bias=layer.bias, y=y, up=up, dx=dx, dweight=dweight,
                             dbias=dbias).items():
        print(row(what, values))
    print("};")
print("// clang-format on\n\n}  // namespace recorded")
