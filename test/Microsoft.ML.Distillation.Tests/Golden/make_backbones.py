"""Makes the expected feature maps of backbones with torchvision's networks. Run it with Python 3 and PyTorch in this folder."""
import json
import os

import torch
import torchvision
from torch import nn

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
models = torchvision.models
made = {
    "MobileNetV3Small": golden(
        "MobileNetV3Small", Features(models.mobilenet_v3_small(weights=None).features[:-1], (1, 3, 8, 11)), 0.8, 2, 3, 96, 64),
    "MobileNetV3Large": golden(
        "MobileNetV3Large", Features(models.mobilenet_v3_large(weights=None).features[:-1], (3, 6, 12, 15)), 0.6, 2, 3, 96, 64),
}
with open("Backbones/maps.json", "w") as file:
    json.dump(made, file)
