"""The artefact of a network, as learn/sequence's Load reads it: see README.md."""

from safetensors.torch import save_file


def tensors(net):
    """The tensors by name; products are x·W there, so that matrices are turned."""
    all = {"items": net.items, "positions": net.positions, "gain": net.norm.weight, "shift": net.norm.bias}
    for i, b in enumerate(net.blocks):
        parts = {"gain1": b.norm1.weight, "shift1": b.norm1.bias, "gain2": b.norm2.weight, "shift2": b.norm2.bias, "ago": b.ago}
        for name in ("qkv", "out", "up", "down"):
            layer = getattr(b, name)
            parts[name], parts[name + "_bias"] = layer.weight.T, layer.bias
        all |= {f"{i}.{name}": tensor for name, tensor in parts.items()}
    return {name: t.detach().float().cpu().contiguous() for name, t in all.items()}


def write(net, path, made):
    """Stores it; made is what people are told of its fitting, by name."""
    settings = {"kind": "sasrec", "version": "1", "heads": net.heads, "blocks": len(net.blocks)}
    save_file(tensors(net), path, metadata={k: str(v) for k, v in (made | settings).items()})
