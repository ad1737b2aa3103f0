"""Merge two LoRA files into one: read, check, merge, write, and say what was done."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from lorarar import __version__
from lorarar.adapter import Adapter, check_pair, shape_text, widest
from lorarar.adapter_file import read_adapter, write_adapter
from lorarar.bases import Base, find_base, unet_shapes
from lorarar.errors import AdapterError, HypernetError, MethodError
from lorarar.files import sha256_of
from lorarar.hypernet import Coefficients, KeyValue
from lorarar.hypernet_file import read_hypernet
from lorarar.methods import Ingredients, Method, Option, method_named


@dataclass(frozen=True)
class Merge:
    """A finished merge."""

    adapter: Adapter
    method: Method
    options: dict[str, object]
    content: Adapter
    style: Adapter
    base: str
    coefficients: dict[str, Coefficients]
    seconds: dict[str, float] = field(default_factory=dict)  # read, compute, write
    path: Path | None = None
    version: str = __version__

    def record(self) -> dict[str, object]:
        """What made the merge, for a file's header."""
        return {
            "method": self.method.name,
            "options": self.options,
            "content": {"name": self.content.name, "sha256": self.content.sha256},
            "style": {"name": self.style.name, "sha256": self.style.sha256},
            "base": self.base,
            "version": self.version,
        }


def merge(
    content: str | Path,
    style: str | Path,
    out: str | Path | None = None,
    *,
    method: str = "lorarar",
    base: str = "pocket",
    hypernet: str | Path | None = None,
    weights: tuple[float, float] | None = None,
    key_value: KeyValue | None = None,
    seed: int = 0,
) -> Merge:
    """Merge a content and a style LoRA; with ``out``, write the result there.

    Args:
        content, style: LoRA files of one base model.
        out: where the merged LoRA goes; None keeps it in memory.
        method: a name of ``lorarar.methods.METHODS``.
        base: pocket, sdxl, a pipeline folder or a hub id; where it lies on this machine, both
            adapters are checked against it.
        hypernet: a hypernetwork file; by default the base's own.
        weights: of content and style, for methods that take them.
        key_value: rule for keys and values, ``mean`` or ``sum``; by default the hypernetwork's own.
        seed: for methods that draw at random.

    Raises:
        AdapterError, HypernetError, MethodError, BaseError: each names what was wrong and what is accepted.
    """
    chosen, place = method_named(method), find_base(base)
    _check_options(chosen, weights=weights, hypernet=hypernet, key_value=key_value)
    started = time.perf_counter()
    ours, theirs = read_adapter(content), read_adapter(style)
    check_pair(ours, theirs)
    _check_base(place, ours, theirs)
    network_file = _hypernet_file(chosen, place, hypernet)
    network = read_hypernet(network_file, key_value) if network_file else None
    read = time.perf_counter()
    blend = chosen.merge(ours, theirs, Ingredients(weights or (1.0, 1.0), network, key_value, seed))
    dtype = widest([ours.dtype, theirs.dtype])
    layers = {name: factors.to(dtype) for name, factors in blend.layers.items()}
    computed = time.perf_counter()
    options: dict[str, object] = {"seed": seed}
    if "weights" in chosen.takes:
        options["weights"] = list(weights or (1.0, 1.0))
    if network and network_file:
        options |= {"hypernet": sha256_of(network_file), "key_value": network.key_value}
    done = Merge(
        Adapter(layers, Path(out).name if out else "merged"),
        chosen,
        options,
        ours,
        theirs,
        place.name,
        blend.coefficients,
        {"read": read - started, "compute": computed - read},
    )
    if out is None:
        return done
    path = write_adapter(done.adapter, out, done.record())
    seconds = {**done.seconds, "write": time.perf_counter() - computed}
    written = Adapter(layers, path.name, sha256_of(path), done.record())
    return Merge(written, chosen, options, ours, theirs, place.name, blend.coefficients, seconds, path)


def _check_options(method: Method, **given: object) -> None:
    for option, value in given.items():
        if value is not None and option not in method.takes:
            taken = ", ".join(map(_flag, method.takes)) or "none"
            raise MethodError(f"method {method.name} takes no {_flag(option)}; it takes {taken}")


def _flag(option: Option | str) -> str:
    return "--" + option.replace("_", "-")


def _check_base(base: Base, *adapters: Adapter) -> None:
    """Refuse adapters whose layers the base does not have in that shape."""
    shapes = unet_shapes(base)
    if shapes is None:
        return
    for adapter in adapters:
        for layer, factors in adapter.layers.items():
            if layer.startswith("unet.") and shapes.get(layer) != factors.shape:
                wanted = shape_text(shapes[layer]) if layer in shapes else "absent"
                raise AdapterError(
                    f"{adapter.name} does not fit base {base.name}: {layer} is {shape_text(factors.shape)} here and "
                    f"{wanted} there; name the base it was trained for with --base"
                )


def _hypernet_file(method: Method, base: Base, given: str | Path | None) -> Path | None:
    if "hypernet" not in method.takes:
        return None
    if given is not None:
        return Path(given)
    if base.hypernet is None:
        raise HypernetError(
            f"base {base.name} has no hypernetwork of its own; name one with --hypernet FILE "
            "(the authors' published state dicts load as they are)"
        )
    return base.hypernet
