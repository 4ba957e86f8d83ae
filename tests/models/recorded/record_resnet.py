"""Writes what torch says about our networks:
  resnet18_names.txt                  names and shapes of torchvision's resnet18
  resnet_small.safetensors            weights of the network below after torch.manual_seed(5)
  resnet_small_expected.safetensors   its answers, worked out in double precision
Run: /usr/bin/python3 record_resnet.py   (torch 1.13.0a0, torchvision 0.14.1a0)
"""
import json
import struct

import numpy
import torch
import torchvision
from torch import nn


def write(path, tensors):
    """safetensors, without the package: header length, JSON header, numbers."""
    types = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}
    header, data = {}, b""
    for name, t in sorted(tensors.items(), key=lambda item: -item[1].element_size()):
        t = t.detach().contiguous()
        raw = t.numpy().tobytes()
        header[name] = {"dtype": types[t.dtype], "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


class Small(torchvision.models.ResNet):
    """torchvision's ResNet with one BasicBlock a stage and 8 channels after the stem: models::ResNetSmall."""

    def __init__(self, channels, classes):
        block = torchvision.models.resnet.BasicBlock
        super().__init__(block, [1, 1, 1, 1], num_classes=classes)
        self.inplanes = 8
        self.conv1 = nn.Conv2d(channels, 8, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(8)
        self.layer1 = self._make_layer(block, 8, 1)
        self.layer2 = self._make_layer(block, 16, 1, stride=2)
        self.layer3 = self._make_layer(block, 32, 1, stride=2)
        self.layer4 = self._make_layer(block, 64, 1, stride=2)
        self.fc = nn.Linear(64, classes)


def main():
    with open("resnet18_names.txt", "w") as out:
        for name, t in torchvision.models.resnet18().state_dict().items():
            print(name, *t.shape, file=out)

    torch.manual_seed(5)
    net = Small(3, 2)
    for module in net.modules():  # so that evaluation is not the same with forgotten statistics, scales or offsets
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    images = torch.rand(4, 3, 64, 48)
    labels = torch.tensor([0, 1, 1, 0])
    write("resnet_small.safetensors", net.state_dict())

    net = net.double()
    x = images.double()
    expected = {"images": images.permute(0, 2, 3, 1), "labels": labels}
    net.eval()
    expected["logits"] = net(x)
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-3)
    losses = []
    for step in range(5):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for name in ("conv1.weight", "bn1.weight", "layer2.0.downsample.0.weight", "layer4.0.bn2.bias", "fc.bias"):
                expected["gradient." + name] = dict(net.named_parameters())[name].grad.clone()
        optimizer.step()
    expected["losses"] = torch.tensor(losses, dtype=torch.float64)
    expected["conv1.weight"] = net.conv1.weight
    expected["bn1.running_var"] = net.bn1.running_var
    expected["bn1.num_batches_tracked"] = net.bn1.num_batches_tracked
    write("resnet_small_expected.safetensors", expected)
    print(torch.__version__, torchvision.__version__, numpy.array(losses))


if __name__ == "__main__":
    main()
