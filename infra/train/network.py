"""The network of learn/sequence's SASRec, in PyTorch."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def drop(x, rate, training):
    """Dropout. On a processor PyTorch draws a number at a time; here one draw serves
    eight, so that the rate is rounded to 1/256, as in Go."""
    gone = round(rate * 256)
    if not training or not gone or x.is_cuda:
        return F.dropout(x, rate, training)
    noise = torch.empty((x.numel() + 7) // 8, dtype=torch.int64).random_(-(1 << 63), None)
    keep = (noise.view(torch.uint8)[: x.numel()] >= gone).view_as(x)
    return x * (keep * (256 / (256 - gone)))


class Affine(nn.Linear):
    """A linear layer that begins as Go's does. Its weight is [to][from]: the artefact
    has it turned."""

    def __init__(self, come, go):
        super().__init__(come, go)
        nn.init.normal_(self.weight, std=1 / math.sqrt(3 * come))
        nn.init.zeros_(self.bias)


class Block(nn.Module):
    def __init__(self, dim, heads, hidden, length, rate):
        super().__init__()
        self.heads, self.rate = heads, rate
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = Affine(dim, 3 * dim), Affine(dim, dim)
        self.up, self.down = Affine(dim, hidden), Affine(hidden, dim)
        self.ago = nn.Parameter(torch.zeros(heads, length))

    def forward(self, x, groups):
        x = x + drop(self.out(self.attend(self.qkv(self.norm1(x)), groups)), self.rate, self.training)
        return x + drop(self.down(F.relu(self.up(self.norm2(x)))), self.rate, self.training)

    def attend(self, qkv, groups):
        """Causal attention in each run, with a learned weight for how far back an
        act lies. There is no dropout within."""
        answers, dim = [], qkv.shape[1] // 3
        bias = self.far_back(max(n for _, n in groups))
        for part, (runs, n) in zip(qkv.split([r * n for r, n in groups]), groups):
            q, k, v = part.view(runs, n, 3, self.heads, dim // self.heads).permute(2, 0, 3, 1, 4).flatten(1, 2)
            b = bias[:, :n, :n].expand(runs, -1, -1, -1).flatten(0, 1)
            shares = torch.baddbmm(b, q, k.transpose(1, 2), alpha=1 / math.sqrt(dim // self.heads)).softmax(-1)
            answers.append((shares @ v).view(runs, self.heads, n, -1).transpose(1, 2).reshape(runs * n, dim))
        return torch.cat(answers)

    def far_back(self, n):
        """[heads][n][n]: ago's column length-1-k where act j lies k before act i, and
        minus infinity where it lies behind."""
        future = self.ago.new_full((self.heads, n - 1), -math.inf)
        return torch.cat([self.ago[:, -n:], future], 1).unfold(1, n, 1).flip(1)


class SASRec(nn.Module):
    """Items have one vector, for what goes in and for what comes out. Embeddings are
    not scaled."""

    def __init__(self, items, dim=64, blocks=2, heads=2, hidden=None, length=200, rate=0.2):
        super().__init__()
        self.length, self.heads, self.rate = length, heads, rate
        self.items = nn.Parameter(torch.randn(items, dim) * 0.05)
        self.positions = nn.Parameter(torch.randn(length, dim) * 0.05)
        self.blocks = nn.ModuleList(Block(dim, heads, hidden or 4 * dim, length, rate) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim)

    def forward(self, groups, items, at, rows):
        """The vectors, [len(rows)][dim], that the next items' should be like: see
        histories.Batch."""
        x = F.embedding(items, self.items) + F.embedding(at, self.positions)
        x = drop(x, self.rate, self.training)
        for block in self.blocks:
            x = block(x, groups)
        return self.norm(x.index_select(0, rows))


class CrossEntropy(torch.autograd.Function):
    """The mean cross-entropy of the softmax over all items with its own gradient, by
    chunks of rows: the table of logits is never whole in memory."""

    @staticmethod
    def forward(ctx, hidden, items, targets, chunk):
        loss, n = hidden.new_zeros(()), len(targets)
        by_hidden, by_items = torch.empty_like(hidden), torch.zeros_like(items)
        turned = items.T.contiguous()
        for start in range(0, n, chunk):
            x, t = hidden[start : start + chunk], targets[start : start + chunk, None]
            logits = x @ turned
            own = logits.gather(1, t)
            highest = logits.amax(1, keepdim=True)
            total = logits.sub_(highest).exp_().sum(1, keepdim=True)
            loss += (total.log() + highest - own).sum()
            # The products are divided by the sums, not the rows: they are smaller.
            share, e = 1 / (total * n), items.index_select(0, t[:, 0])
            by_hidden[start : start + chunk] = (logits @ items).mul_(share).sub_(e, alpha=1 / n)
            by_items.addmm_(logits.T, x * share)
            by_items.index_add_(0, t[:, 0], x, alpha=-1 / n)
        ctx.save_for_backward(by_hidden, by_items)
        return loss / n

    @staticmethod
    def backward(ctx, g):
        by_hidden, by_items = ctx.saved_tensors
        return by_hidden * g, by_items * g, None, None
