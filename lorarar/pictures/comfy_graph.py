"""ComfyUI's graph of nodes, as its pictures note it: which prompt and which seed it samples from.

Both forms are read: that of a run (``prompt``: nodes by their number, inputs by name), and that of the canvas
(``workflow``: lists of nodes and of links, values without names), of which the common nodes' values are known. Nothing
is guessed: a graph that names two prompts or two seeds for what is sampled has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

_TEXTS = (
    "text",
    "text_g",
    "t5xxl",
    "prompt",
    "string",
    "value",
    "positive",
)  # inputs that hold words, the first counts
_LEADING = ("positive", "conditioning", "guider", "text", "t5xxl", "prompt", "string", "value")  # to the words
_SEEDS = ("seed", "noise_seed")
_MUTED = (2, 4)  # modes of a canvas' nodes that take no part
#: The names of the values of nodes on a canvas, in their order.
_WIDGETS: Mapping[str, tuple[str, ...]] = {
    "CLIPTextEncode": ("text",),
    "KSampler": ("seed",),
    "KSamplerAdvanced": ("add_noise", "noise_seed"),
    "RandomNoise": ("noise_seed",),
    "PrimitiveNode": ("value",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
}


@dataclass(frozen=True)
class Node:
    """A node: the kind of it, and its inputs, each a value or a link ``[node, output]``."""

    kind: str
    inputs: Mapping[str, object]

    @property
    def samples(self) -> bool:
        """Whether it is one of those from whose inputs a picture is sampled."""
        return "Sampler" in self.kind or self.kind == "RandomNoise" or "positive" in self.inputs


Graph = Mapping[str, Node]


def read_graph(value: object) -> Graph:
    """The graph of a JSON value in either form; empty where it is none."""
    if not isinstance(value, dict):
        return {}
    if isinstance(value.get("nodes"), list):
        return dict(_of_canvas(value["nodes"], value.get("links")))
    return {
        str(name): Node(str(node["class_type"]), node["inputs"])
        for name, node in value.items()
        if isinstance(node, dict) and isinstance(node.get("inputs"), dict) and isinstance(node.get("class_type"), str)
    }


def find_prompt(graph: Graph) -> str:
    """The words that lead to what is sampled; empty where there are none, or several."""
    starts = [node.inputs[name] for node in graph.values() for name in ("positive", "guider") if name in node.inputs]
    words = set(_words(graph, starts))
    return words.pop() if len(words) == 1 else ""


def find_seed(graph: Graph) -> int | None:
    """The seed of what is sampled, or the only one of the graph; None where there is none, or several."""
    for nodes in ([node for node in graph.values() if node.samples], list(graph.values())):
        seeds = {seed for node in nodes for seed in _seeds(graph, node)}
        if seeds:
            return seeds.pop() if len(seeds) == 1 else None
    return None


def _words(graph: Graph, starts: Iterable[object]) -> Iterator[str]:
    """The words that inputs are, or to which they lead over any number of nodes, each of which is looked at once."""
    waiting = list(starts)
    looked_at: set[int] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and value.strip():
            yield value
        node = _linked(graph, value)
        if node is None or id(node) in looked_at:
            continue
        looked_at.add(id(node))
        text = next((node.inputs[name] for name in _TEXTS if isinstance(node.inputs.get(name), str)), None)
        if text is not None:
            waiting.append(text)
        else:
            waiting += [link for name, link in node.inputs.items() if name.startswith(_LEADING)]


def _seeds(graph: Graph, node: Node) -> Iterator[int]:
    """The seeds that a node's inputs have, or that the node has to which one leads."""
    for name in _SEEDS:
        value = node.inputs.get(name)
        source = _linked(graph, value)
        values = [value] if source is None else [source.inputs.get(other) for other in (*_SEEDS, "value")]
        yield from (one for one in values if isinstance(one, int) and not isinstance(one, bool))


def _linked(graph: Graph, value: object) -> Node | None:
    """The node to which a value links; None where it is no link."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[0], str | int):
        return graph.get(str(value[0]))
    return None


def _of_canvas(nodes: list[object], links: object) -> Iterator[tuple[str, Node]]:
    """The nodes of a canvas that take part, with the names of their values."""
    sources = {str(link[0]): [str(link[1]), 0] for link in (links if isinstance(links, list) else ()) if _is_link(link)}
    for node in nodes:
        if not isinstance(node, dict) or node.get("mode") in _MUTED:
            continue
        kind, slots, values = str(node.get("type")), node.get("inputs"), node.get("widgets_values")
        named = zip(_WIDGETS.get(kind, ()), values if isinstance(values, list) else (), strict=False)
        inputs: dict[str, object] = dict(named)
        for slot in slots if isinstance(slots, list) else ():
            if isinstance(slot, dict) and str(slot.get("link")) in sources:
                inputs[str(slot.get("name"))] = sources[str(slot["link"])]
        yield str(node.get("id")), Node(kind, inputs)


def _is_link(link: object) -> bool:
    return isinstance(link, list) and len(link) >= 2
