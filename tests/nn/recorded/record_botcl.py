"""Writes recorded_botcl.hpp: BotCL's head, its losses and their gradients, in torch and double.
Run: /usr/bin/python3 record_botcl.py > recorded_botcl.hpp   (torch 1.13.0a0, 1.13.1 of Debian 12)

The definitions are written out pair by pair and concept by concept. Inputs and weights are sines of the position in the
library's order, so that both sides make them by the same formula (botcl.hpp). Maps are recorded as (n, h, w,
c).
"""
import math

import torch
import torch.nn.functional as F

N, H, W, C, HIDDEN, CONCEPTS, CLASSES = 6, 2, 3, 3, 8, 4, 3
LABELS = [0, 1, 1, 2, 0, 1]


def wave(shape, speed, size):
    t = torch.arange(math.prod(shape), dtype=torch.float64)
    return (size * torch.sin(speed * t + 0.5)).reshape(shape)


def positions():
    rows = []
    for channel in range(HIDDEN):
        by_row, k = channel < HIDDEN // 2, channel % (HIDDEN // 2)
        divisor = 10000 ** (2 * (k // 2) / (HIDDEN // 2))
        count = H if by_row else W
        along = torch.arange(1, count + 1, dtype=torch.float64) / (count + 1e-6) * 2 * math.pi / divisor
        along = along.sin() if k % 2 == 0 else along.cos()
        rows.append(along[:, None].expand(H, W) if by_row else along[None, :].expand(H, W))
    return torch.stack(rows, dim=-1)  # (h, w, hidden)


def head(x, training):
    """x (n, h, w, c). Gives logits, attention (n, concepts, places) and features (n, concepts, hidden)."""
    w = dict(conv=wave((HIDDEN, C), 0.7, 0.8), conv_bias=wave((HIDDEN,), 2.1, 0.2), scale=1 + wave((HIDDEN,), 1.7, 0.3),
             shift=wave((HIDDEN,), 0.4, 0.3), concepts=wave((CONCEPTS, HIDDEN), 4.4, 2.0),
             classify=wave((CLASSES, CONCEPTS), 0.9, 1.0), classify_bias=wave((CLASSES,), 1.5, 0.1))
    y = F.conv2d(x.permute(0, 3, 1, 2), w["conv"][:, :, None, None], w["conv_bias"])
    y = F.batch_norm(y, torch.zeros(HIDDEN, dtype=torch.float64), torch.ones(HIDDEN, dtype=torch.float64), w["scale"],
                     w["shift"], training=training)
    y = F.relu(y).permute(0, 2, 3, 1)
    key = (y + positions()).reshape(len(x), H * W, HIDDEN)
    for i, speed in enumerate((3.8, 1.8, 5.8)):
        key = F.linear(key, wave((HIDDEN, HIDDEN), speed, 0.9), wave((HIDDEN,), speed, 0.8))
        key = F.relu(key) if i < 2 else key
    dots = torch.einsum("kd,npd->nkp", w["concepts"], key) / math.sqrt(HIDDEN)
    of_concept = dots.sum(2, keepdim=True)
    attention = torch.sigmoid(dots / of_concept * of_concept.sum(1, keepdim=True))
    weights = attention / (attention.sum(2, keepdim=True) + 1e-8)
    features = torch.einsum("nkp,npd->nkd", weights, y.reshape(len(x), H * W, HIDDEN))
    t = torch.tanh(attention.sum(2))
    return F.linear(t, w["classify"], w["classify_bias"]), attention, features


def cosine(a, b):
    return F.cosine_similarity(a, b, dim=0)


def losses(attention, features):
    y = 2 * torch.tanh(attention.sum(2)) - 1
    pairs = {True: [], False: []}
    for i in range(N):
        for j in range(N):
            d = 10 / 32 * (y[i] * y[j]).sum()
            same = LABELS[i] == LABELS[j]
            pairs[same].append(torch.log(1 + torch.exp(d)) - (d if same else 0))
    retrieval = torch.stack(pairs[True]).mean() + torch.stack(pairs[False]).mean()
    quantisation = ((y.abs() - 1) ** 2).mean()
    consistency, looks = [], []
    for k in range(CONCEPTS):
        total = attention[:, k].sum(1)
        shown = [i for i in range(N) if total[i] > total.mean()]
        consistency.append(torch.stack([cosine(features[i, k], features[j, k]) for i in shown for j in shown]).mean())
        looks.append(torch.stack([features[i, k] for i in shown]).mean(0))
    distinctiveness = torch.stack([cosine(a, b) for a in looks for b in looks]).mean()
    return dict(retrieval=retrieval, quantity=attention.mean(), quantisation=quantisation,
                consistency=torch.stack(consistency).mean(), distinctiveness=distinctiveness)


def line(name, values):
    print(f"inline const std::vector<double> {name} = {{{', '.join(repr(v) for v in values.detach().reshape(-1).tolist())}}};")


print("// Recorded by record_botcl.py with torch", torch.__version__, "in double. Do not edit by hand.")
print("#pragma once\n\n#include <vector>\n\nnamespace recorded {\n\n// clang-format off")
x = wave((N, H, W, C), 1.3, 1.0).requires_grad_()
line("logits_in_prediction", head(x, False)[0])
logits, attention, features = head(x, True)
line("logits", logits)
line("attention", attention.permute(0, 2, 1))
line("features", features)
terms = losses(attention, features)
terms["cross_entropy"] = F.cross_entropy(logits, torch.tensor(LABELS))
weights = dict(cross_entropy=1, retrieval=1, quantity=1, quantisation=0.5, consistency=-1, distinctiveness=1)
late = dict(weights, quantisation=2, consistency=-5, distinctiveness=5)
for name, value in terms.items():
    line(name, value)
    line(f"{name}_gradient", torch.autograd.grad(value, x, retain_graph=True)[0])
line("objective", sum(weights[name] * value for name, value in terms.items()))
line("late_objective", sum(late[name] * value for name, value in terms.items()))
print("// clang-format on\n\n}  // namespace recorded")
