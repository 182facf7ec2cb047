"""Fits SASRec on histories and stores the artefact that upnext reads.

    train.py HISTORIES ARTEFACT [--device cuda] [--hold 1] ...
"""

import argparse

import torch

import artefact
import histories
from fit import Fit
from network import SASRec

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("histories", help='a line a viewer, "viewer TAB item item ...", oldest first; .gz is unpacked')
p.add_argument("artefact", help="the safetensors file to write")
p.add_argument("--device", default="cpu", help="cpu or cuda")
p.add_argument("--threads", type=int, default=torch.get_num_threads())
p.add_argument("--hold", type=int, default=0, help="newest acts of each viewer left out as a test: 1 for protocol ml1m-loo")
for name, default in dict(dim=64, blocks=2, heads=2, hidden=0, length=200, epochs=45, batch=32, every=5, seed=1, chunk=0).items():
    p.add_argument("--" + name, type=int, default=default)
for name, default in dict(lr=0.0015, dropout=0.2, crop=0.3, decay=0.5, average=0.998).items():
    p.add_argument("--" + name, type=float, default=default)
a = p.parse_args()

torch.manual_seed(a.seed)
torch.set_num_threads(a.threads)
ids, acts = histories.read(a.histories)
acts = [h[: len(h) - a.hold] for h in acts]
judges = [h for h in acts if len(h) >= 3]  # their last act validates
net = SASRec(len(ids), a.dim, a.blocks, a.heads, a.hidden, a.length, a.dropout).to(a.device)
chunk = a.chunk or (512 if a.device == "cpu" else 1 << 14)
fit = Fit(net, [h[:-1] if len(h) >= 3 else h for h in acts], a.epochs, a.batch, a.lr, a.crop, a.decay, a.average, a.seed, chunk)
best, metric = fit.run([h[:-1] for h in judges], [h[-1] for h in judges], a.every, lambda line: print(line, flush=True))
artefact.write(best, a.artefact, {"fitted": f"infra/train, torch {torch.__version__}, {vars(a)}", "validation_ndcg@10": f"{metric:.6g}"})
