"""Fitting: the recipe of learn/sequence's Training as the Go trainer has it."""

import copy
import math
import time

import numpy as np
import torch

from histories import Batch, begin, show
from network import CrossEntropy


class Fit:
    """One fitting of a network on histories of at least two acts each."""

    def __init__(self, net, histories, epochs=45, batch=32, lr=0.0015, crop=0.3, decay=0.5, average=0.998, seed=1, chunk=512):
        self.net, self.device, self.histories = net, net.items.device, [h for h in histories if len(h) >= 2]
        self.epochs, self.batch, self.lr, self.crop, self.decay, self.chunk = epochs, batch, lr, crop, decay, chunk
        self.average, self.mean = average, copy.deepcopy(net).eval()
        self.rng, self.step = np.random.default_rng(seed), 0
        self.steps = math.ceil(len(self.histories) / batch)
        self.adam = torch.optim.Adam(net.parameters(), lr=lr, betas=(0.9, 0.98), fused=True)

    def rate(self):
        """Adam's learning rate: it rises over the first steps, stays, and falls over
        the last epochs to 0.02 of itself."""
        rate, done, all = self.lr, self.step + 1, self.steps * self.epochs
        if done < (warm := min(100, all / 5)):
            rate *= done / warm
        if (left := 1 - done / all) < self.decay:
            rate *= max(0.02, left / self.decay)
        return rate

    def epoch(self):
        """Shows every viewer once and returns the mean loss of an act."""
        self.net.train()
        order, loss, acts = self.rng.permutation(len(self.histories)), 0, 0
        for start in range(0, len(order), self.batch):
            runs = [show(self.histories[v], self.net.length, self.crop, self.rng) for v in order[start : start + self.batch]]
            b = Batch(runs)
            loss += self.move(b) * len(b.targets)
            acts += len(b.targets)
        return float(loss) / acts

    def move(self, b):
        """Moves the weights by one batch; returns its mean loss, on the device."""
        hidden = self.forward(self.net, b, b.real)
        loss = CrossEntropy.apply(hidden, self.net.items, self.on_device(b.targets), self.chunk)
        self.adam.zero_grad()
        loss.backward()
        for group in self.adam.param_groups:
            group["lr"] = self.rate()
        self.adam.step()
        self.step += 1
        if self.average:
            k = max(1 - self.average, 1 / (self.step + 1))
            with torch.no_grad():
                torch._foreach_lerp_(list(self.mean.parameters()), list(self.net.parameters()), k)
        return loss.detach()

    def on_device(self, array):
        return torch.from_numpy(array).to(self.device)

    def forward(self, net, b, rows):
        return net(b.groups, self.on_device(b.items), self.on_device(b.at), self.on_device(rows))

    def kept(self):
        """The network that is validated and stored."""
        return self.mean if self.average else self.net.eval()

    @torch.no_grad()
    def scores(self, histories):
        """[histories][items]"""
        runs = [h[begin(len(h), self.net.length) :] for h in histories]
        b = Batch(runs, targets=False)
        net = self.kept()
        return self.forward(net, b, b.last) @ net.items.T

    def ndcg(self, histories, last, size=128):
        """NDCG@10 of the items that came last, among those not in the history."""
        total = 0.0
        for start in range(0, len(histories), size):
            before, own = histories[start : start + size], last[start : start + size]
            s = self.scores(before).cpu().numpy()
            for row, h, item in zip(s, before, own):
                score = row[item]
                row[h] = -np.inf
                rank = (row > score).sum()
                total += 1 / math.log2(rank + 2) if rank < 10 else 0
        return total / len(histories)

    def run(self, judged, last, every, tell):
        """Fits it all and returns the best network by validation every so many epochs,
        and its metric; without viewers to judge by the last one."""
        best, metric, since = None, 0.0, time.time()
        for epoch in range(1, self.epochs + 1):
            loss, line = self.epoch(), ""
            if epoch % every == 0 or epoch == self.epochs:
                now = self.ndcg(judged, last) if judged else 0.0
                line = f", validation {now:.4f}"
                if best is None or now > metric or not judged:
                    best, metric = copy.deepcopy(self.kept()), now
            tell(f"epoch {epoch}/{self.epochs} loss {loss:.4f}{line}, {time.time() - since:.0f} s")
        return best, metric
