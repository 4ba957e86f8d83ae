"""Records what Captum, zennit and pytorch-grad-cam say about a small net, as attribution_fixtures.hpp:

    python3 -m venv --system-site-packages venv    # torch 1.13 of Debian 12
    venv/bin/pip install captum==0.8.0 zennit==0.5.1 grad-cam==1.5.7 'numpy<2'
    venv/bin/python record_attributions.py > attribution_fixtures.hpp

Inputs and weights are sines of the position in the library's order, (n, h, w, c) and (k, kernel_h, kernel_w, c), so that
both sides make them by the same formula (attribution_net.hpp). Everything is double. Every picture is explained by
itself: Captum's max-pool rule falls back on the first picture's gradient for the whole batch.
"""
import captum
import captum.attr as ca
import torch
import zennit
from pytorch_grad_cam import GradCAMPlusPlus, ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn
from zennit import composites, rules
from zennit.attribution import Gradient
from zennit.canonizers import SequentialMergeBatchNorm
from zennit.layer import Sum
from zennit.types import AvgPool, BatchNorm, Convolution, Activation

torch.set_default_dtype(torch.float64)


def wave(shape, speed, size, shift=0.0):
    t = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (size * torch.sin(speed * t + 0.5) + shift).reshape(shape)


def nchw(t):
    return t.permute(0, 3, 1, 2).contiguous()


class Net(nn.Module):
    def __init__(self, bias=True, softmax=False):
        super().__init__()
        self.conv1, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.pool, self.relu1 = nn.MaxPool2d(2), nn.ReLU()
        self.conv2, self.relu2, self.sum = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.ReLU(), Sum()
        self.conv3, self.relu3 = nn.Conv2d(4, 4, 3, padding=1), nn.ReLU()
        self.average, self.flatten, self.fc = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)
        self.softmax = nn.Softmax(1) if softmax else nn.Identity()
        with torch.no_grad():
            self.conv1.weight.copy_(nchw(wave((4, 3, 3, 2), 0.7, 0.6)))
            self.conv1.bias.copy_(wave((4,), 2.1, 0.2))
            self.norm.weight.copy_(wave((4,), 1.1, 0.3, 0.9))
            self.norm.bias.copy_(wave((4,), 0.8, 0.3))
            self.norm.running_mean.copy_(wave((4,), 1.7, 0.2))
            self.norm.running_var.copy_(wave((4,), 2.3, 0.3, 0.8))
            self.conv2.weight.copy_(nchw(wave((4, 3, 3, 4), 1.9, 0.5)))
            self.conv3.weight.copy_(nchw(wave((4, 3, 3, 4), 2.9, 0.4)))
            self.conv3.bias.copy_(wave((4,), 1.3, 0.2))
            self.fc.weight.copy_(wave((3, 4), 0.9, 1.0))
            self.fc.bias.copy_(wave((3,), 1.5, 0.1))
        self.eval()

    def forward(self, x):
        # Where one module's output is the next one's input, Captum's DeepLIFT hands the first the ordinary gradient of
        # the second, and the sum is not complete (its own convergence delta says so). Times 1 makes them two tensors.
        p = self.relu1(self.pool(self.norm(self.conv1(x))) * 1.0)
        s = self.sum(torch.stack([self.relu2(self.conv2(p)), p], -1))
        return self.softmax(self.fc(self.flatten(self.average(self.relu3(self.conv3(s))))))


x, x0 = nchw(wave((2, 6, 8, 2), 1.3, 1.0)), nchw(wave((2, 6, 8, 2), 0.37, 0.4))
classes = [2, 0]


def each(f):
    """f(picture, baseline, class) for every picture, in the library's layout."""
    found = [f(x[i:i + 1].clone().requires_grad_(), x0[i:i + 1], c) for i, c in enumerate(classes)]
    return torch.cat(found).detach().permute(0, 2, 3, 1)


def put(name, values):
    numbers = ", ".join(format(v, '.11g') for v in values.detach().reshape(-1).tolist())
    print(f"inline constexpr double {name}[] = {{{numbers}}};")


def lrp(composite):
    def one(p, _, c):
        with Gradient(model=Net(), composite=composite) as attributor:
            return attributor(p, lambda out: out * torch.eye(3)[[c]])[1]
    return each(one)


# zennit adds its stabiliser to a mean, limn to the sum before it is divided; with a tiny one there is no difference.
sums = [(Sum, rules.Norm(1e-12)), (AvgPool, rules.Norm(1e-12))]


def everywhere(rule, canonizers):
    """One rule for all layers with weights."""
    base = [(Activation, rules.Pass()), (BatchNorm, rules.Pass()), (Convolution, rule), (nn.Linear, rule)]
    return composites.LayerMapComposite(sums + base, canonizers=canonizers)


print("// Recorded by record_attributions.py with torch", torch.__version__, "captum", captum.__version__)
print("// zennit 0.5.1 grad-cam 1.5.7, in double. Do not edit by hand.")
print("#pragma once\n\nnamespace limn::recorded_attributions {\n\n// clang-format off")

put("logits", Net()(x))
put("gradient", each(lambda p, b, c: ca.Saliency(Net()).attribute(p, c, abs=False)))
put("input_times_gradient", each(lambda p, b, c: ca.InputXGradient(Net()).attribute(p, c)))
put("deconvnet", each(lambda p, b, c: ca.Deconvolution(Net()).attribute(p, c)))


def guided_grad_cam(p, b, c):
    net = Net()
    return ca.GuidedGradCam(net, net.conv2).attribute(p, c, interpolate_mode="bilinear")


put("guided_grad_cam", each(guided_grad_cam))
put("deep_lift", each(lambda p, b, c: ca.DeepLift(Net()).attribute(p, b, c)))
put("deep_lift_softmax", each(lambda p, b, c: ca.DeepLift(Net(softmax=True)).attribute(p, b, c)))
for method in "gausslegendre", "riemann_left", "riemann_right", "riemann_middle", "riemann_trapezoid":
    put("integrated_" + method, each(lambda p, b, c: ca.IntegratedGradients(Net()).attribute(
        p, b, c, n_steps=9 if method != "gausslegendre" else 50, method=method)))


class Merge(SequentialMergeBatchNorm):
    @staticmethod
    def merge_batch_norm(modules, batch_norm):
        SequentialMergeBatchNorm.merge_batch_norm(modules, batch_norm)
        batch_norm.eps = 0.0  # zennit leaves it, and what it calls the identity divides by sqrt(1 + 1e-5)


merge = [Merge()]
put("lrp_epsilon", lrp(everywhere(rules.Epsilon(0.1), merge)))
put("lrp_epsilon_passed", lrp(everywhere(rules.Epsilon(0.1), [])))
put("lrp_gamma", lrp(everywhere(rules.Gamma(0.25), merge)))
put("lrp_alpha_beta", lrp(everywhere(rules.AlphaBeta(2, 1), merge)))
put("lrp_z_plus", lrp(everywhere(rules.ZPlus(), merge)))
put("lrp_w_square", lrp(everywhere(rules.WSquare(), merge)))
put("lrp_flat", lrp(everywhere(rules.Flat(), merge)))
put("lrp_box", lrp(everywhere(rules.ZBox(-1.5, 2.0), merge)))
put("epsilon_plus", lrp(composites.EpsilonPlus(layer_map=sums, canonizers=merge)))
put("epsilon_plus_flat", lrp(composites.EpsilonPlusFlat(layer_map=sums, canonizers=merge)))
put("epsilon_alpha2_beta1", lrp(composites.EpsilonAlpha2Beta1(layer_map=sums, canonizers=merge)))
put("epsilon_gamma_box", lrp(composites.EpsilonGammaBox(-1.5, 2.0, layer_map=sums, canonizers=merge)))


def cam(method):
    def one(p, b, c):
        net = Net()
        maker = method(model=net, target_layers=[net.conv2])
        targets = [ClassifierOutputTarget(c)]
        outputs = maker.activations_and_grads(p)
        net.zero_grad()
        sum(t(o) for t, o in zip(targets, outputs)).backward()
        a, g = maker.activations_and_grads.activations[0], maker.activations_and_grads.gradients[0]
        raw = maker.get_cam_image(p, net.conv2, targets, a.numpy(), g.numpy(), False)
        return torch.tensor(raw).clamp(min=0)[:, None]
    return each(one)


put("grad_cam_plus_plus", cam(GradCAMPlusPlus))
put("score_cam", cam(ScoreCAM))


def safe_divide(a, b):
    return torch.where(b == 0, torch.zeros_like(b), a / b)


def relevance_cam(bias_count):
    """Relevance-CAM at conv2 written out from the formulas of the paper and of its authors' code."""
    def back(forward, inputs, relevance, bias):
        """inputs * d sum(forward) / d inputs with the relevance divided by sum(forward) + bias."""
        inputs = [i.detach().requires_grad_() for i in inputs]
        z = sum(f(i) for f, i in zip(forward, inputs))
        gradients = torch.autograd.grad(z, inputs, safe_divide(relevance, z.detach() + bias))
        return sum(i.detach() * g for i, g in zip(inputs, gradients))

    def plus(layer, x, relevance, bias):
        """z+ with signed inputs."""
        w = layer.weight.detach()
        op = nn.functional.linear if w.dim() == 2 else lambda v, k: nn.functional.conv2d(v, k, padding=1)
        return back([lambda v: op(v, w.clamp(min=0)), lambda v: op(v, w.clamp(max=0))],
                    [x.clamp(min=0), x.clamp(max=0)], relevance, bias)

    def one(p, _, c):
        net = Net()
        with torch.no_grad():
            pooled = net.relu1(net.pool(net.norm(net.conv1(p))))
            a = net.conv2(pooled)
            s = net.relu2(a) + pooled
            u = net.relu3(net.conv3(s))
            mean = u.mean((2, 3))
        start = torch.full((1, 3), -1 / 3)
        start[0, c] = 1
        r = plus(net.fc, mean, start, 0.0)
        r = back([lambda v: v.mean((2, 3))], [u], r, 0.0)
        r = plus(net.conv3, s, r, bias_count * net.conv3.bias.detach()[None, :, None, None])
        r = net.relu2(a) * safe_divide(r, s)  # the part of the sum that comes from conv2
        return (r.mean((2, 3), keepdim=True) * a).sum(1, keepdim=True)
    return each(one)


put("relevance_cam", relevance_cam(1))
put("relevance_cam_code", relevance_cam(2))
print("// clang-format on\n\n}  // namespace limn::recorded_attributions")
