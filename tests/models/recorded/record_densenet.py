"""Writes what torch says about our DenseNets:
  densenet121_names.txt             names and shapes of torchvision's densenet121
  densenet.safetensors              weights of the network below after torch.manual_seed(5)
  densenet_expected.safetensors     its answers, worked out in double precision
Run: /usr/bin/python3 record_densenet.py   (torch 1.13.0a0, torchvision 0.14.1a0)
"""
import numpy
import torch
import torchvision
from record_resnet import write
from torch import nn

GRADIENTS = ("features.conv0.weight", "features.denseblock1.denselayer1.conv1.weight",
             "features.denseblock2.denselayer2.norm1.weight", "features.transition2.conv.weight",
             "features.denseblock4.denselayer1.conv2.weight", "features.norm5.bias", "classifier.weight")


def main():
    with open("densenet121_names.txt", "w") as out:
        for name, t in torchvision.models.densenet121().state_dict().items():
            print(name, *t.shape, file=out)

    torch.manual_seed(5)
    net = torchvision.models.DenseNet(growth_rate=4, block_config=(2, 3, 1, 2), num_init_features=8, num_classes=3)
    for module in net.modules():  # so that evaluation is not the same with forgotten statistics, scales or offsets
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.2, 0.2)
            module.running_var.uniform_(0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    images = torch.rand(3, 3, 64, 48)
    labels = torch.tensor([0, 2, 1])
    write("densenet.safetensors", net.state_dict())

    net = net.double()
    x = images.double()
    expected = {"images": images.permute(0, 2, 3, 1), "labels": labels}
    net.eval()
    expected["logits"] = net(x)
    expected["map"] = net.features.denseblock4(net.features[:-2](x)).permute(0, 2, 3, 1)
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-3)
    losses = []
    for step in range(3):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), labels)
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            for name in GRADIENTS:
                expected["gradient." + name] = dict(net.named_parameters())[name].grad.clone()
        optimizer.step()
    expected["losses"] = torch.tensor(losses, dtype=torch.float64)
    expected["features.norm5.running_var"] = net.features.norm5.running_var
    write("densenet_expected.safetensors", expected)
    print(torch.__version__, torchvision.__version__, numpy.array(losses))


if __name__ == "__main__":
    main()
