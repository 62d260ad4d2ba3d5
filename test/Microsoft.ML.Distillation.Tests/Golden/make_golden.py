"""Writes torchvision.json: what torchvision 0.14 says of anchors, box coding, IoU, NMS, RoIAlign and Faster R-CNN's losses.

Needs Debian's python3-torchvision. Run it in this folder; the tests only read the file.
"""
import json

import torch
import torchvision
from torchvision.models.detection import _utils, anchor_utils, image_list, roi_heads

torch.manual_seed(7)


def rounded(tensor):
    return [round(float(v), 6) for v in tensor.flatten().tolist()]


def random_boxes(count, width=192, height=144):
    corner = torch.rand(count, 2) * torch.tensor([width * 0.7, height * 0.7])
    return torch.cat([corner, corner + 4 + torch.rand(count, 2) * torch.tensor([width * 0.25, height * 0.25])], 1)


golden = {"torchvision": torchvision.__version__}

generator = anchor_utils.AnchorGenerator(sizes=((12.0, 30.0),), aspect_ratios=((0.5, 1.0, 2.0),))
images = image_list.ImageList(torch.zeros(1, 3, 48, 64), [(48, 64)])
golden["anchors"] = rounded(generator(images, [torch.zeros(1, 8, 6, 8)])[0])

boxes, references = random_boxes(20), random_boxes(20)
coder = _utils.BoxCoder((10.0, 10.0, 5.0, 5.0))
deltas = torch.randn(20, 4) * 2
golden["coder"] = {
    "boxes": rounded(boxes), "references": rounded(references), "encoded": rounded(coder.encode_single(boxes, references)),
    "deltas": rounded(deltas), "decoded": rounded(coder.decode_single(deltas, references)),
}
golden["iou"] = rounded(torchvision.ops.box_iou(boxes, references))

crowd, scores = random_boxes(200), torch.rand(200)
golden["nms"] = {"boxes": rounded(crowd), "scores": rounded(scores), "kept": torchvision.ops.nms(crowd, scores, 0.5).tolist()}

feature = torch.randn(2, 3, 18, 24, requires_grad=True)
regions = torch.cat([torch.tensor([0.0] * 5 + [1.0] * 5)[:, None], random_boxes(10)], 1)
regions[0, 1:] = torch.tensor([-6.0, -4.0, 40.0, 30.0])  # reaches out of the image
golden["roi_align"] = {"feature": rounded(feature), "boxes": rounded(regions[:, 1:])}
for aligned in (False, True):
    feature.grad = None
    pooled = torchvision.ops.roi_align(feature, regions, 5, 1 / 8, 2, aligned)
    pooled.pow(2).sum().backward()
    golden["roi_align"]["aligned" if aligned else "plain"] = {"pooled": rounded(pooled), "gradient": rounded(feature.grad)}

# The losses of given answers, all anchors and all proposals sampled: what is compared is the formulas.
logits, box_deltas = torch.randn(64), torch.randn(64, 4)
labels, targets = (torch.rand(64) < 0.4).float(), torch.randn(64, 4)
positive = torch.where(labels > 0)[0]
golden["rpn_loss"] = {
    "logits": rounded(logits), "labels": rounded(labels), "deltas": rounded(box_deltas), "targets": rounded(targets),
    "objectness": float(torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)),
    "box": float(torch.nn.functional.smooth_l1_loss(box_deltas[positive], targets[positive], beta=1 / 9, reduction="sum") / labels.numel()),
}
class_logits, regression = torch.randn(40, 4), torch.randn(40, 16)
classes, regression_targets = torch.randint(0, 4, (40,)), torch.randn(40, 4)
class_loss, box_loss = roi_heads.fastrcnn_loss(class_logits, regression, [classes], [regression_targets])
golden["rcn_loss"] = {
    "logits": rounded(class_logits), "labels": classes.tolist(), "deltas": rounded(regression), "targets": rounded(regression_targets),
    "classification": float(class_loss), "box": float(box_loss),
}

# Which anchors and proposals count as objects.
truth = random_boxes(5)
quality = torchvision.ops.box_iou(truth, crowd)
golden["matches"] = {
    "truth": rounded(truth),
    "anchors": _utils.Matcher(0.7, 0.3, allow_low_quality_matches=True)(quality).tolist(),
    "proposals": _utils.Matcher(0.5, 0.5, allow_low_quality_matches=False)(quality).tolist(),
}

with open("torchvision.json", "w") as file:
    json.dump(golden, file, separators=(",", ":"))
    file.write("\n")
