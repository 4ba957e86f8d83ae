"""Records what torch 1.13.1 computes, as torch_fixtures.hpp:  /usr/bin/python3 record_torch.py > torch_fixtures.hpp

Images are recorded as (n, h, w, c) and weights as (k, kernel_h, kernel_w, c), the library's order. Inputs are rounded to
four digits, so that the numbers in the header are exactly what torch saw; results are computed in double.
"""
import torch
import torch.nn.functional as F

torch.manual_seed(4)
out = []


def draw(*shape):
    return (torch.randn(*shape, dtype=torch.float64) * 1e4).round() / 1e4


def nhwc(x):
    return x.detach().permute(0, 2, 3, 1).contiguous()


def put(name, values):
    numbers = ", ".join(repr(v) for v in values.detach().reshape(-1).tolist())
    out.append(f"inline constexpr double {name}[] = {{{numbers}}};")


# Convolution 3 x 2, stride 2 and 1, padding 1 and 0; gradients for the upstream gradient conv_up.
x, w = draw(2, 3, 5, 4).requires_grad_(), draw(2, 3, 3, 2).requires_grad_()
y = F.conv2d(x, w, stride=(2, 1), padding=(1, 0))
up = draw(*y.shape)
dx, dw = torch.autograd.grad(y, (x, w), up)
for name, value in dict(x=x, w=w, y=y, up=up, dx=dx, dw=dw).items():
    put("conv_" + name, nhwc(value))

# Max pooling 3 x 3, stride 2, padding 1.
x = draw(1, 2, 5, 6).requires_grad_()
y = F.max_pool2d(x, 3, stride=2, padding=1)
up = draw(*y.shape)
(dx,) = torch.autograd.grad(y, x, up)
for name, value in dict(x=x, y=y, up=up, dx=dx).items():
    put("max_" + name, nhwc(value))

# Bilinear interpolation, up to 7 x 9 and down to 2 x 3.
x = draw(1, 2, 4, 5)
put("resize_x", nhwc(x))
for name, size in dict(up=(7, 9), down=(2, 3)).items():
    put("resize_" + name, nhwc(F.interpolate(x, size=size, mode="bilinear", align_corners=False, antialias=False)))

# Batch normalisation in training mode, eps 1e-3, momentum 0.1, running statistics from 0 and 1.
x, gamma, beta = draw(2, 3, 2, 2).requires_grad_(), draw(3).requires_grad_(), draw(3).requires_grad_()
mean, variance = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
y = F.batch_norm(x, mean, variance, gamma, beta, training=True, momentum=0.1, eps=1e-3)
up = draw(*y.shape)
dx, dgamma, dbeta = torch.autograd.grad(y, (x, gamma, beta), up)
for name, value in dict(x=x, y=y, up=up, dx=dx).items():
    put("norm_" + name, nhwc(value))
for name, value in dict(gamma=gamma, beta=beta, dgamma=dgamma, dbeta=dbeta, mean=mean, variance=variance).items():
    put("norm_" + name, value)

# Cross-entropy of three samples with labels 1, 3, 0, and binary cross-entropy.
x = draw(3, 4).requires_grad_()
loss = F.cross_entropy(x, torch.tensor([1, 3, 0]))
put("entropy_x", x)
put("entropy_loss", loss)
put("entropy_dx", torch.autograd.grad(loss, x)[0])
x, t = draw(2, 3).requires_grad_(), torch.tensor([[0.0, 1.0, 0.25], [1.0, 0.0, 0.5]], dtype=torch.float64)
loss = F.binary_cross_entropy_with_logits(x, t)
put("binary_x", x)
put("binary_loss", loss)
put("binary_dx", torch.autograd.grad(loss, x)[0])

# LAP-Pool by Eq. 6 and 7 of Distinguishing Clues, window 3 x 3, stride 2, padding 1, alpha 2.5, eps 1e-3. Elements
# outside the image have no weight: their score is -inf for the maximum, and their weight is 0.
x, q, alpha = draw(2, 3, 5, 4).requires_grad_(), torch.rand(2, 1, 5, 4, dtype=torch.float64), torch.tensor([2.5])
q, alpha = ((q * 1e4).round() / 1e4).requires_grad_(), alpha.double().requires_grad_()
best = F.max_pool2d(q, 3, stride=2, padding=1)
rows = lambda t: F.unfold(t, 3, stride=2, padding=1).reshape(2, t.shape[1], 9, 3, 2)  # (n, c, area, out_h, out_w)
weight = (torch.exp(-((alpha * (best.unsqueeze(2) - rows(q))) ** 2)) + 1e-3) * rows(torch.ones_like(q))
y = (rows(x) * weight).sum(2) / weight.sum(2)
up = draw(*y.shape)
dx, dq, dalpha = torch.autograd.grad(y, (x, q, alpha), up)
for name, value in dict(x=x, q=q, y=y, up=up, dx=dx, dq=dq).items():
    put("lap_" + name, nhwc(value))
put("lap_dalpha", dalpha)

# Convolution of volumes, kernel 3 x 2 x 2, strides 2, 1, 2, padding 1, 0, 1; trilinear interpolation, up and down.
ndhwc = lambda t: t.detach().permute(0, 2, 3, 4, 1).contiguous()
x, w = draw(2, 2, 4, 3, 4).requires_grad_(), draw(3, 2, 3, 2, 2).requires_grad_()
y = F.conv3d(x, w, stride=(2, 1, 2), padding=(1, 0, 1))
up = draw(*y.shape)
dx, dw = torch.autograd.grad(y, (x, w), up)
for name, value in dict(x=x, w=w, y=y, up=up, dx=dx, dw=dw).items():
    put("conv3d_" + name, ndhwc(value))
x = draw(1, 2, 2, 4, 3)
put("resize3d_x", ndhwc(x))
for name, size in dict(up=(4, 7, 5), down=(1, 2, 2)).items():
    put("resize3d_" + name, ndhwc(F.interpolate(x, size=size, mode="trilinear", align_corners=False)))

print("// Recorded by record_torch.py with torch", torch.__version__, "(1.13.1 of Debian 12), in double. Do not edit by hand.")
print("#pragma once\n\nnamespace limn::torch {\n")
print("// clang-format off")
print("\n".join(out))
print("// clang-format on\n\n}  // namespace limn::torch")
