"""Times an epoch of this trainer beside BenchmarkEpoch of learn/sequence.

    bench.py HISTORIES THREADS EPOCHS

Prints a JSON object: wall_s and cpu_s of an epoch, the first one, which warms up,
left out; acts of an epoch; the loss of the last. An epoch is a random order, batches
of 32, forward, back, Adam and the average of the weights, as in fitting.
"""

import json
import os
import sys
import time

# Freed memory is kept for the next batch, or every large tensor costs its pages anew.
KEEP = {"MALLOC_MMAP_THRESHOLD_": str(1 << 30), "MALLOC_TRIM_THRESHOLD_": str(8 << 30), "MALLOC_TOP_PAD_": str(64 << 20)}
if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
    os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | KEEP)

import torch

import histories
from fit import Fit
from network import SASRec

torch.manual_seed(1)
torch.set_num_threads(int(sys.argv[2]))
torch.set_flush_denormal(True)
ids, acts = histories.read(sys.argv[1])
options = json.loads(os.environ.get("UPNEXT_FIT", "{}"))
fit, epochs = Fit(SASRec(len(ids)), acts, **options), int(sys.argv[3])
fit.epoch()
wall, cpu = time.perf_counter(), time.process_time()
for _ in range(epochs):
    loss = fit.epoch()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
acts = sum(min(len(h) - 1, fit.net.length) for h in fit.histories)
print(json.dumps({"wall_s": wall / epochs, "cpu_s": cpu / epochs, "acts": acts, "loss": loss}))
