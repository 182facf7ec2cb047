"""Histories of viewers: how they are read, cut and put into batches."""

import gzip

import numpy as np


def read(path):
    """Reads a line a viewer, "viewer TAB item item ...", oldest first, gzipped or
    not: the form of MovieLens' sequences_sas.txt.gz that protocol ml1m-loo reads.
    Returns the item ids, rising, and the histories in their places there, from 0."""
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt") as file:
        acts = [np.array(line.split("\t")[1].split(), np.int64) for line in file]
    ids = np.unique(np.concatenate(acts))
    return ids, [np.searchsorted(ids, h) for h in acts]


def begin(n, length):
    """Where the part of n acts begins that a model reads: Go's begin with the hop of
    SASRec, an eighth of the length."""
    hop = max(1, length // 8)
    return 0 if n <= length else -((length - n) // hop) * hop


def show(acts, length, crop, rng):
    """The acts of one viewer that an epoch reads: length of them and the one behind,
    the last or, by the chance crop, any."""
    end = len(acts)
    if end > length + 1 and rng.random() < crop:
        end = length + 1 + rng.integers(end - length)
    return acts[max(0, end - length - 1) : end]


class Batch:
    """Runs laid out in groups of nearly one length, so that attention goes by whole
    groups and hardly anything is padding: at most an eighth of a group's rows, and
    those only where a run is shorter than its group's first.

    groups   (runs, length) of each, in the order of the rows
    items    [rows] what went in; 0 on padding, which no real row looks at
    at       [rows] the position of each
    real     [acts] the rows that are no padding
    targets  [acts] what came next; none where runs are only to be read
    last     [runs] of those read, each run's last row, in the order given
    """

    def __init__(self, runs, targets=True):
        order = sorted(range(len(runs)), key=lambda i: -len(runs[i]))
        self.groups, items, at, real, nexts, start = [], [], [], [], [], 0
        self.last = np.zeros(len(runs), np.int64)
        while order:
            n = len(runs[order[0]]) - targets
            some = [i for i in order if len(runs[i]) - targets >= n - n // 8]
            order = order[len(some) :]
            self.groups.append((len(some), n))
            for i in some:
                run = runs[i]
                known = len(run) - targets
                padded = np.zeros(n, np.int64)
                padded[:known] = run[:known]
                items.append(padded)
                at.append(np.arange(n))
                real.append(np.arange(start, start + known))
                nexts.append(run[1:])
                self.last[i] = start + known - 1
                start += n
        self.items, self.at = np.concatenate(items), np.concatenate(at)
        self.real = np.concatenate(real)
        self.targets = np.concatenate(nexts) if targets else None
