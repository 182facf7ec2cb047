"""Writes what the Go test of this trainer reads: torch.safetensors, a network of 40
items fitted on walks among them, and torch.json, the scores that PyTorch gives to
every item after each of some histories.

    fixture.py FOLDER
"""

import json
import os
import sys

import numpy as np
import torch

import artefact
from fit import Fit
from network import SASRec

ITEMS = 40

torch.manual_seed(1)
torch.set_num_threads(1)
rng = np.random.default_rng(1)


def walk(n):
    """Item i is mostly followed by i+1."""
    steps = np.where(rng.random(n) < 0.1, rng.integers(ITEMS, size=n), 1)
    return np.cumsum(steps) % ITEMS


net = SASRec(ITEMS, dim=16, hidden=24, length=16, rate=0.1)
fit = Fit(net, [walk(3 + rng.integers(30)) for _ in range(300)], epochs=12, lr=0.01, batch=8, average=0.95, chunk=96)
for _ in range(fit.epochs):
    loss = fit.epoch()
folder = sys.argv[1]
artefact.write(fit.kept(), os.path.join(folder, "torch.safetensors"), {"fitted": "infra/train/fixture.py", "loss": f"{loss:.4g}"})
asked = [walk(n) for n in (1, 2, 5, 15, 16, 17, 18, 40)]  # of one act, and beyond what is read
scores = fit.scores(asked).tolist()
with open(os.path.join(folder, "torch.json"), "w") as file:
    file.write("[\n" + ",\n".join(json.dumps({"items": h.tolist(), "scores": [round(s, 6) for s in row]}) for h, row in zip(asked, scores)) + "\n]\n")
