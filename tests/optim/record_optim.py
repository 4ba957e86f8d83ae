"""Writes recorded_optim.hpp: the course of torch's optimisers on f(w) = sum of a * (w - c)^2 / 2.
Run: /usr/bin/python3 record_optim.py > recorded_optim.hpp   (torch 1.13.0a0)
"""
import torch

a = torch.tensor([1.0, 10.0, 0.3, 4.0, 0.01], dtype=torch.float64)
c = torch.tensor([1.0, -2.0, 0.5, 0.0, 3.0], dtype=torch.float64)
start = [0.5, 1.0, -1.5, 2.0, 0.0]
cases = {
    "sgd": lambda w: torch.optim.SGD(w, lr=0.05),
    "sgd_decay": lambda w: torch.optim.SGD(w, lr=0.05, weight_decay=0.1),
    "sgd_momentum": lambda w: torch.optim.SGD(w, lr=0.02, momentum=0.9, weight_decay=0.01),
    "sgd_nesterov": lambda w: torch.optim.SGD(w, lr=0.02, momentum=0.8, weight_decay=0.01, nesterov=True),
    "adam": lambda w: torch.optim.Adam(w, lr=0.1),
    "adam_decay": lambda w: torch.optim.Adam(w, lr=0.03, betas=(0.8, 0.95), eps=1e-3, weight_decay=0.2),
    "adamw": lambda w: torch.optim.AdamW(w, lr=0.1, weight_decay=0.3),
}
steps = [1, 2, 3, 10, 40]
print(f"// Recorded by record_optim.py with torch {torch.__version__}.")
print("#pragma once\n\n#include <vector>\n\nnamespace recorded {\n")
print("/// The weights after 1, 2, 3, 10 and 40 steps, in double precision.\nstruct Course {")
print("  const char* name;\n  std::vector<std::vector<double>> weights;\n};\n")


def row(values):
    return "{" + ", ".join(f"{v:.15g}" for v in values) + "}"


for name, values in (("curvature", a), ("centre", c), ("start", start)):
    print(f"inline const std::vector<double> {name} = {row(values)};")
print(f"inline const std::vector<int> steps = {row(steps)};\n\ninline const std::vector<Course> courses = {{")
for name, make in cases.items():
    w = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer = make([w])
    rows = []
    for step in range(1, steps[-1] + 1):
        optimizer.zero_grad()
        (a * (w - c) ** 2 / 2).sum().backward()
        optimizer.step()
        if step in steps:
            rows.append(row(w.detach()))
    print(f'    {{"{name}",\n     {{' + ",\n      ".join(rows) + "}},")
print("};\n\n}  // namespace recorded")
