"""Makes the expected feature maps of backbones with torchvision's networks. Run it with Python 3 and PyTorch in this folder."""
import json
import os

import torch
from torch import nn
from torchvision import models

from fill import fill, images


class Features(nn.Module):
    """The first layers of a network's features, and the maps after some of them."""

    def __init__(self, layers, ends):
        super().__init__()
        self.features, self.ends = layers, ends

    def forward(self, x):
        for i, layer in enumerate(self.features):
            x = layer(x)
            if i in self.ends:
                yield x


class VggM(nn.Module):
    """CNN-M-1024 up to conv5."""

    def __init__(self):
        super().__init__()
        for i, (channels, kernel, stride) in enumerate(((96, 7, 2), (256, 5, 2), (512, 3, 1), (512, 3, 1), (512, 3, 1)), 1):
            setattr(self, f"conv{i}", nn.Conv2d((3, 96, 256, 512, 512)[i - 1], channels, kernel, stride, kernel // 2))

    def forward(self, x):
        for i in range(1, 6):
            x = torch.relu(getattr(self, f"conv{i}")(x))
            if i <= 2:
                x = nn.functional.local_response_norm(x, 5, 5e-4, 0.75, 2)
            yield x
            if i <= 2:
                x = nn.functional.max_pool2d(x, 3, 2, 1)


def padded_alexnet():
    """AlexNet's convolutions, padded so that no cell is lost at the borders."""
    layers = models.alexnet(weights=None).features[:-1]
    layers[0].padding = 5, 5
    for layer in layers:
        if isinstance(layer, nn.MaxPool2d):
            layer.padding = 1
    return Features(layers, (1, 4, 7, 9, 11))


def sample(values):
    """64 values, evenly spread."""
    flat = values.flatten()
    return [round(v, 6) for v in flat[:: max(1, flat.numel() // 64)][:64].tolist()]


def golden(name, network, gain, *shape):
    fill(network, gain)
    with torch.no_grad():
        maps = list(network(images(1, *shape)))
    print(name, sum(p.numel() for p in network.parameters()), [(tuple(m.shape), m.std().item()) for m in maps])
    return {f"{i}": {"shape": list(m.shape), "values": sample(m)} for i, m in enumerate(maps)}


os.makedirs("Backbones", exist_ok=True)
made = {
    "MobileNetV3Small": golden(
        "MobileNetV3Small", Features(models.mobilenet_v3_small(weights=None).features[:-1], (1, 3, 8, 11)), 0.8, 2, 3, 96, 64),
    "MobileNetV3Large": golden(
        "MobileNetV3Large", Features(models.mobilenet_v3_large(weights=None).features[:-1], (3, 6, 12, 15)), 0.6, 2, 3, 96, 64),
    "AlexNet": golden("AlexNet", padded_alexnet(), 1, 2, 3, 96, 64),
    "VggM": golden("VggM", VggM(), 1, 2, 3, 96, 64),
    "Vgg16": golden("Vgg16", Features(models.vgg.make_layers(models.vgg.cfgs["D"])[:-1], (3, 8, 15, 22, 29)), 1, 2, 3, 96, 64),
}

# The names and shapes in torchvision's checkpoints.
names = {
    "ResNet18": models.resnet18, "ResNet34": models.resnet34, "ResNet50": models.resnet50,
    "ShuffleNetV2_x0_5": models.shufflenet_v2_x0_5, "ShuffleNetV2_x1_0": models.shufflenet_v2_x1_0,
    "MobileNetV3Small": models.mobilenet_v3_small, "MobileNetV3Large": models.mobilenet_v3_large,
    "AlexNet": models.alexnet, "Vgg16": models.vgg16,
}
with open("Backbones/names.json", "w") as file:
    json.dump({k: {n: list(t.shape) for n, t in f(weights=None).state_dict().items()} for k, f in names.items()}, file, separators=(",", ":"))
with open("Backbones/maps.json", "w") as file:
    json.dump(made, file)
