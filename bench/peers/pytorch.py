"""PyTorch (any version from 1.12) as a peer: answers bench/harness/peer.hpp. Usage: pytorch.py LAYOUT THREADS

LAYOUT is how images lie in memory, contiguous (NCHW) or channels_last (NHWC). Cases of networks need torchvision,
explanations also captum; where these are not installed the cases are refused.
"""

import gc
import os
import sys
import time
import warnings

try:
    import torch
except ImportError:
    # Debian's python3-torch belongs to Debian's python3, which need not be the first in PATH.
    system = "/usr/bin/python3"
    if os.path.exists(system) and "LIMN_BENCH_SYSTEM_PYTHON" not in os.environ:
        os.environ["LIMN_BENCH_SYSTEM_PYTHON"] = "1"
        os.execv(system, [system, *sys.argv])
    print("! PyTorch is not installed")
    sys.exit()
import torch.nn as nn
import torch.nn.functional as F

LAYOUT = getattr(torch, "channels_last" if sys.argv[1] == "channels_last" else "contiguous_format")
TUNED = LAYOUT == torch.channels_last


def images(n, channels, side):
    return torch.randn(n, channels, side, side).to(memory_format=LAYOUT)


def resnet18(classes=2):
    import torchvision

    return torchvision.models.resnet18(weights=None, num_classes=classes).to(memory_format=LAYOUT)


def adam(parameters):
    """Where this version has one that does all in one pass over memory, the tuned peer takes it."""
    parameters = list(parameters)
    try:
        return torch.optim.Adam(parameters, 1e-4, **({"fused": True} if TUNED else {}))
    except (RuntimeError, TypeError):
        return torch.optim.Adam(parameters, 1e-4)


# Each case is a function of its words that prepares everything and gives what is timed.


def step(n, side):
    net = resnet18().train()
    optimizer = adam(net.parameters())
    x, y = images(n, 3, side), torch.arange(n) % 2

    def run():
        optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(net(x), y).backward()
        optimizer.step()

    return run


def forward(n, side):
    """Batch normalisation folded into the convolutions, oneDNN's blocked layouts. NCHW is what it wants to be given."""
    net = resnet18().eval().to(memory_format=torch.contiguous_format)
    x = torch.randn(n, 3, side, side)
    with torch.no_grad():
        net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x)))
        for _ in range(3):
            net(x)  # the first calls profile and compile

    def run():
        with torch.no_grad():
            net(x)

    return run


def convolution(what, n, side, c, k, kernel, stride, padding, groups=1):
    x, weight = images(n, c, side), torch.randn(k, c // groups, kernel, kernel).to(memory_format=LAYOUT)
    y = F.conv2d(x, weight, None, stride, padding, 1, groups)
    if what == "forward":
        return lambda: F.conv2d(x, weight, None, stride, padding, 1, groups)
    wanted = [what == "input", what == "weight", False]
    return lambda: torch.ops.aten.convolution_backward(
        y, x, weight, None, [stride, stride], [padding, padding], [1, 1], False, [0, 0], groups, wanted)


def layer(what, make, x, parameters=()):
    """Forward as in training, or backward alone."""
    x.requires_grad_()
    if what == "forward":
        return lambda: make(x)
    y = make(x)
    upstream = torch.randn_like(y)
    wanted = [x, *parameters]
    return lambda: torch.autograd.grad(y, wanted, upstream, retain_graph=True)


def batch_norm(what, n, side, c, *after):
    """`after`: add and relu, in place as torchvision's ResNet does them."""
    norm = nn.BatchNorm2d(c).train()
    parameters = list(norm.parameters())
    if "add" in after:
        parameters.append(images(n, c, side).requires_grad_())

    def make(x):
        y = norm(x)
        if "add" in after:
            y += parameters[-1]
        return F.relu(y, inplace=True) if "relu" in after else y

    return layer(what, make, images(n, c, side), parameters)


def relu(what, n, side, c):
    return layer(what, F.relu, images(n, c, side))


def max_pool(what, n, side, c):
    return layer(what, lambda x: F.max_pool2d(x, 3, 2, 1), images(n, c, side))


def resize(what, n, side, c, to):
    return layer(what, lambda x: F.interpolate(x, size=(to, to), mode="bilinear", align_corners=False),
                 images(n, c, side))


def cross_entropy(n, classes):
    x, y = torch.randn(n, classes, requires_grad=True), torch.arange(n) % classes
    return lambda: torch.autograd.grad(F.cross_entropy(x, y), x)


def adam_step():
    net = resnet18(1000)
    for p in net.parameters():
        p.grad = torch.randn_like(p)
    return adam(net.parameters()).step


def explain(method, count, batch, side):
    from captum import attr

    net = resnet18().eval()
    if method == "guided_backprop":
        own_relus(net)
    for module in net.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    x = images(count, 3, side)
    attribute = (attr.LayerGradCam(net, net.layer4) if method == "grad_cam" else attr.GuidedBackprop(net)).attribute

    def run():
        for i in range(0, count, batch):
            attribute(x[i:i + batch], target=0)

    return run


def own_relus(net):
    """Captum's guided backpropagation hooks modules, so that each ReLU must be a module that is called once."""

    class Block(nn.Module):
        def __init__(self, b):
            super().__init__()
            self.first = nn.Sequential(b.conv1, b.bn1, nn.ReLU(), b.conv2, b.bn2)
            self.shortcut, self.last = b.downsample or nn.Identity(), nn.ReLU()

        def forward(self, x):
            return self.last(self.first(x) + self.shortcut(x))

    for name in ("layer1", "layer2", "layer3", "layer4"):
        setattr(net, name, nn.Sequential(*[Block(b) for b in getattr(net, name)]))


CASES = {f.__name__: f for f in (step, forward, convolution, batch_norm, relu, max_pool, resize, cross_entropy,
                                 adam_step, explain)}


def peak_megabytes():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024


def main():
    torch.set_num_threads(int(sys.argv[2]))
    torch.manual_seed(0)
    warnings.simplefilter("ignore")
    print("= PyTorch", torch.__version__, flush=True)
    prepared, run = None, None
    for question in sys.stdin:
        what, *words = question.split()
        calls = int(words.pop(0)) if what == "time" else 3
        before = peak_megabytes()
        try:
            if prepared != words:
                run = None
                gc.collect()
                run = CASES[words[0]](*[int(w) if w.isdigit() else w for w in words[1:]])
                prepared = words
            times = []
            for _ in range(calls):
                start = time.perf_counter()
                run()
                times.append(1e3 * (time.perf_counter() - start))
            print(*times if what == "time" else [peak_megabytes() - before], flush=True)
        except Exception as error:  # a peer says what it cannot do; it does not stop the others
            print("!", type(error).__name__ + ":", str(error).split("\n")[0], flush=True)


main()
