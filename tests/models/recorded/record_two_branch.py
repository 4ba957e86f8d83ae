"""Writes what torch says about a small network of two branches and an attention gate:
  two_branch.safetensors            weights after torch.manual_seed(5)
  two_branch_expected.safetensors   its answers, worked out in double precision
Run: /usr/bin/python3 record_two_branch.py   (torch 1.13.0a0, torchvision 0.14.1a0)

The global branch is torchvision's ResNet with one Bottleneck a stage and 2 channels after the stem. The local branch is
BagNet-33 as published (Brendel and Bethge 2019), with two blocks in the first stage and one in the others.
"""
import torch
import torchvision
from record_resnet import write
from torch import nn
from torch.nn import functional as F

WIDTH, CLASSES = 2, 2


class Global(torchvision.models.ResNet):
    def __init__(self):
        block = torchvision.models.resnet.Bottleneck
        super().__init__(block, [1, 1, 1, 1], num_classes=CLASSES)
        self.inplanes = WIDTH
        self.conv1 = nn.Conv2d(1, WIDTH, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.layer1 = self._make_layer(block, WIDTH, 1)
        self.layer2 = self._make_layer(block, 2 * WIDTH, 1, stride=2)
        self.layer3 = self._make_layer(block, 4 * WIDTH, 1, stride=2)
        self.layer4 = self._make_layer(block, 8 * WIDTH, 1, stride=2)
        self.fc = nn.Linear(32 * WIDTH, CLASSES)

    def features(self, x):
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class Block(nn.Module):
    def __init__(self, before, width, kernel, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, kernel, stride, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride != 1 or before != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(before, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(y + shortcut[:, :, : y.shape[2], : y.shape[3]])


class Local(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, WIDTH, 1, bias=False)
        self.conv2 = nn.Conv2d(WIDTH, WIDTH, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTH)
        self.layer1 = nn.Sequential(Block(WIDTH, WIDTH, 3, 2), Block(4 * WIDTH, WIDTH, 1, 1))
        self.layer2 = nn.Sequential(Block(4 * WIDTH, 2 * WIDTH, 3, 2))
        self.layer3 = nn.Sequential(Block(8 * WIDTH, 4 * WIDTH, 3, 2))
        self.layer4 = nn.Sequential(Block(16 * WIDTH, 8 * WIDTH, 3, 1))
        self.fc = nn.Linear(32 * WIDTH, CLASSES)

    def features(self, x):
        x = F.relu(self.bn1(self.conv2(self.conv1(x))))
        return self.layer4(self.layer3(self.layer2(self.layer1(x))))


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight_x = nn.Conv2d(32 * WIDTH, 8, 1, bias=False)
        self.weight_g = nn.Conv2d(32 * WIDTH, 8, 1)
        self.psi = nn.Conv2d(8, 1, 1)

    def forward(self, local, whole):
        g = F.interpolate(whole, size=local.shape[2:], mode="bilinear", align_corners=False)
        self.alpha = torch.sigmoid(self.psi(F.relu(self.weight_x(local) + self.weight_g(g))))
        return self.alpha * local


class Projection(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(32 * WIDTH, 4, 1)
        self.bn = nn.BatchNorm2d(4)

    def forward(self, x):
        return self.bn(self.conv(x))


class TwoBranch(nn.Module):
    def __init__(self):
        super().__init__()
        self.add_module("global", Global())
        self.local, self.fusion, self.projection = Local(), Gate(), Projection()
        self.fc = nn.Linear(2 * 32 * WIDTH + 4 * 4 * 4, CLASSES)

    def forward(self, x):
        whole = getattr(self, "global")
        g, l = whole.features(x), self.local.features(x)
        of_g, of_l = g.mean((2, 3)), l.mean((2, 3))
        y = self.projection(self.fusion(l, g)).permute(0, 2, 3, 1)  # flattened in the library's order
        return whole.fc(of_g), self.local.fc(of_l), self.fc(torch.cat([of_g, of_l, y.flatten(1)], 1))


torch.manual_seed(5)
net = TwoBranch()
for module in net.modules():  # so that evaluation is not the same with forgotten statistics, scales or offsets
    if isinstance(module, nn.BatchNorm2d):
        module.running_mean.uniform_(-0.2, 0.2)
        module.running_var.uniform_(0.5, 2)
        nn.init.uniform_(module.weight, 0.5, 1.5)
        nn.init.uniform_(module.bias, -0.3, 0.3)
images = torch.rand(4, 1, 64, 64)
labels = torch.tensor([0, 1, 1, 0])
write("two_branch.safetensors", net.state_dict())

net = net.double()
x = images.double()
expected = {"images": images.permute(0, 2, 3, 1), "labels": labels}
net.eval()
for name, logits in zip(("logits_global", "logits_local", "logits"), net(x)):
    expected[name] = logits
expected["alpha"] = net.fusion.alpha.permute(0, 2, 3, 1)
expected["map_local"] = net.local.features(x).permute(0, 2, 3, 1)
net.train()
whole = getattr(net, "global")
optimizers = [  # learning rates and weight decays of Table 1, times ten
    torch.optim.SGD(whole.parameters(), lr=0.010, momentum=0.9, weight_decay=2.6e-4),
    torch.optim.SGD(net.local.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4),
    torch.optim.SGD([*net.fusion.parameters(), *net.projection.parameters(), *net.fc.parameters()], lr=0.011, momentum=0.9,
                    weight_decay=4.4e-4),
]
losses = []
for step in range(3):
    for optimizer in optimizers:
        optimizer.zero_grad()
    each = [F.cross_entropy(logits, labels) for logits in net(x)]
    loss = 0.3 * each[0] + 0.3 * each[1] + 0.4 * each[2]
    loss.backward()
    losses.append([part.item() for part in each])
    if step == 0:
        for name in ("global.conv1.weight", "global.layer2.0.conv2.weight", "local.conv1.weight", "local.layer1.1.bn2.weight",
                     "fusion.weight_g.weight", "fusion.psi.weight", "projection.bn.weight", "fc.bias"):
            expected["gradient." + name] = dict(net.named_parameters())[name].grad.clone()
    for optimizer in optimizers:
        optimizer.step()
expected["losses"] = torch.tensor(losses, dtype=torch.float64)
expected["local.conv2.weight"] = net.local.conv2.weight
write("two_branch_expected.safetensors", expected)
print(torch.__version__, torchvision.__version__, losses)
