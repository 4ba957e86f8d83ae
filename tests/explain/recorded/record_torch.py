"""Records Grad-CAM and guided backpropagation of a small net, as torch_fixtures.hpp:

    /usr/bin/python3 record_torch.py > torch_fixtures.hpp

Inputs and weights are sines of the position in the library's order, (n, h, w, c) and (k, kernel_h, kernel_w, c), so that
both sides make them by the same formula (test_torch.cpp). Everything is double.
"""
import torch
import torch.nn.functional as F


def wave(shape, speed, size):
    t = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (size * torch.sin(speed * t + 0.5)).reshape(shape)


def nchw(t):
    return t.permute(0, 3, 1, 2).contiguous()


x = nchw(wave((2, 5, 4, 2), 1.3, 1.0)).requires_grad_()
first, second = nchw(wave((4, 3, 3, 2), 0.7, 0.6)), nchw(wave((4, 3, 3, 4), 1.9, 0.5))
bias = wave((4,), 2.1, 0.2)
fc = wave((3, 4), 0.9, 1.0)
classes = [2, 0]


def net(x, guide=False):
    """The second convolution is called twice, with a functional relu after each call."""
    def relu(t):
        if guide:
            t.register_hook(lambda g: g.clamp(min=0))  # guided: what is negative after the relu's own derivative is cut
        return F.relu(t)

    h = relu(F.conv2d(x, first, bias, padding=1))
    middle = relu(F.conv2d(h, second, padding=1))
    target = F.conv2d(middle, second, padding=1)
    return target, F.linear(relu(target).mean((2, 3)), fc)


target, logits = net(x)
score = sum(logits[i, c] for i, c in enumerate(classes))
(gradient,) = torch.autograd.grad(score, target)
cam = F.relu((gradient.mean((2, 3), keepdim=True) * target).sum(1))

_, logits_guided = net(x, guide=True)
score = sum(logits_guided[i, c] for i, c in enumerate(classes))
(guided,) = torch.autograd.grad(score, x)


def put(name, values):
    print(f"inline constexpr double {name}[] = {{{', '.join(repr(v) for v in values.detach().reshape(-1).tolist())}}};")


print("// Recorded by record_torch.py with torch", torch.__version__, "(1.13.1 of Debian 12), in double. Do not edit by hand.")
print("#pragma once\n\nnamespace limn::recorded {\n\n// clang-format off")
put("logits", logits)
put("cam", cam)
put("guided", guided.permute(0, 2, 3, 1))
print("// clang-format on\n\n}  // namespace limn::recorded")
