"""The things Pocket can draw, and where each artist's drawing of them is found.

A *class* is a thing ("dog"); a *design* is one artist's drawing of it. Names of icons are matched
after dropping hyphens, because every icon set slugs the Unicode label in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Thing:
    """One class: its name in captions, its Unicode code point and its names in the icon sets."""

    name: str
    code_point: str
    icons: tuple[str, ...]
    not_by: tuple[str, ...] = ()  # artists whose icon of that name shows something else


def _thing(name: str, code_point: str, *icons: str, not_by: tuple[str, ...] = ()) -> Thing:
    return Thing(name, code_point, icons, not_by)


#: Classes of the 30 subjects, after the paper's Table A1.
SUBJECT_CLASSES = (
    _thing("backpack", "1f392", "backpack", "schoolsatchel"),
    _thing("bowl", "1f963", "bowlwithspoon"),
    _thing("candle", "1f56f", "candle"),
    _thing("cat", "1f431", "catface", "cat"),
    _thing("dog", "1f436", "dogface", "dog"),
    _thing("duck", "1f986", "duck"),
    _thing("boot", "1f462", "womansboot", "boot", "womensboots", "womansboots"),
    _thing("sloth", "1f9a5", "sloth"),
    _thing("monster", "1f47e", "alienmonster"),
    _thing("poo", "1f4a9", "pileofpoo", "poo"),
    _thing("sneaker", "1f45f", "runningshoe", "athleticshoe"),
    _thing("sunglasses", "1f576", "sunglasses", not_by=("fxemoji",)),
    _thing("car", "1f697", "automobile"),
    _thing("ogre", "1f479", "ogre", "japaneseogre"),
    _thing("robot", "1f916", "robot", "robotface"),
    _thing("vase", "1f3fa", "amphora"),
    _thing("clock", "23f0", "alarmclock"),
    _thing("teddy bear", "1f9f8", "teddybear"),
    _thing("wolf", "1f43a", "wolf", "wolfface"),
    _thing("teapot", "1fad6", "teapot"),
    _thing("can", "1f96b", "cannedfood"),
)

#: Neighbours: what style references show, and what keeps the base from being about subjects only.
NEIGHBOUR_CLASSES = (
    _thing("fox", "1f98a", "fox", "foxface"),
    _thing("owl", "1f989", "owl"),
    _thing("penguin", "1f427", "penguin"),
    _thing("frog", "1f438", "frog", "frogface"),
    _thing("panda", "1f43c", "panda", "pandaface"),
    _thing("apple", "1f34e", "redapple", "apple"),
    _thing("strawberry", "1f353", "strawberry"),
    _thing("hamburger", "1f354", "hamburger"),
    _thing("cake", "1f382", "birthdaycake"),
    _thing("mushroom", "1f344", "mushroom"),
    _thing("cactus", "1f335", "cactus"),
    _thing("rocket", "1f680", "rocket"),
    _thing("castle", "1f3f0", "castle", "europeancastle"),
    _thing("guitar", "1f3b8", "guitar"),
    _thing("sailboat", "26f5", "sailboat"),
    _thing("hat", "1f3a9", "tophat"),
    _thing("house", "1f3e0", "house", "housebuilding"),
    _thing("tree", "1f332", "evergreentree"),
    _thing("ice cream", "1f366", "softicecream", "softserveicecream"),
    _thing("crown", "1f451", "crown"),
    _thing("ghost", "1f47b", "ghost"),
    _thing("pumpkin", "1f383", "jackolantern"),
    _thing("gift", "1f381", "wrappedgift", "present"),
    _thing("fish", "1f41f", "fish"),
    _thing("octopus", "1f419", "octopus"),
    _thing("umbrella", "2602", "umbrella", "openumbrella"),
    _thing("bus", "1f68c", "bus"),
)

CLASSES = SUBJECT_CLASSES + NEIGHBOUR_CLASSES
CLASS_NAMES = tuple(thing.name for thing in CLASSES)
