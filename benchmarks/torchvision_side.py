"""The torchvision side of the benchmarks: prints one JSON object of seconds. Run by the benchmark program.

usage: torchvision_side.py THREADS WIDTH HEIGHT BATCH STEPS
"""
import json
import sys
import time

import torch
import torchvision
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.backbone_utils import BackboneWithFPN, resnet_fpn_backbone

threads, width, height, batch, steps = map(int, sys.argv[1:])
torch.set_num_threads(threads)
torch.manual_seed(1)


def median_seconds(action, repeats):
    action()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return sorted(times)[len(times) // 2]


# Maps of stride 8, 16 and 32, as on our side.
def resnet():
    return resnet_fpn_backbone(
        backbone_name="resnet18", weights=None, norm_layer=torch.nn.BatchNorm2d, trainable_layers=5, returned_layers=[2, 3, 4])


# Without the last 1x1 convolution, which our backbone leaves out.
def mobilenet():
    blocks = torchvision.models.mobilenet_v3_large(weights=None).features[:16]
    return BackboneWithFPN(blocks, {"6": "0", "12": "1", "15": "2"}, [40, 112, 160], 256)


def training_step(backbone):
    model = FasterRCNN(
        backbone, num_classes=21, min_size=min(width, height), max_size=max(width, height),
        rpn_anchor_generator=AnchorGenerator(((32,), (64,), (128,), (256,)), ((0.5, 1.0, 2.0),) * 4),
        box_roi_pool=torchvision.ops.MultiScaleRoIAlign(["0", "1", "2"], 7, 2), rpn_pre_nms_top_n_train=1000, rpn_post_nms_top_n_train=500, box_batch_size_per_image=128)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, weight_decay=5e-4)
    images = [torch.rand(3, height, width) for _ in range(batch)]
    corner = torch.rand(8, 2) * torch.tensor([width * 0.6, height * 0.6])
    size = torch.rand(8, 2) * torch.tensor([width * 0.3, height * 0.3]) + 16
    target = {"boxes": torch.cat([corner, corner + size], 1), "labels": torch.randint(1, 21, (8,))}

    def step():
        losses = model(images, [target] * batch)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()

    return median_seconds(step, steps)


def nms(count):
    corner = torch.rand(count, 2) * 500
    boxes = torch.cat([corner, corner + torch.rand(count, 2) * 100 + 1], 1)
    scores = torch.rand(count)
    return median_seconds(lambda: torchvision.ops.nms(boxes, scores, 0.5), 20)


def roi_align():
    feature = torch.rand(4, 64, 32, 32, requires_grad=True)
    corner = torch.rand(256, 2) * 200
    boxes = torch.cat([torch.arange(4).repeat_interleave(64)[:, None], corner, corner + 50], 1)

    def both_ways():
        torchvision.ops.roi_align(feature, boxes, 7, 1 / 8, 2, False).sum().backward()

    return median_seconds(both_ways, 20)


print(json.dumps({
    "torch": torch.__version__,
    "training_step": training_step(resnet()), "training_step_mobile": training_step(mobilenet()),
    "nms100": nms(100), "nms1000": nms(1000), "nms5000": nms(5000),
    "roi_align": roi_align(),
}))
