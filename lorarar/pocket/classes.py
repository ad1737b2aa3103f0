"""The classes of objects Pocket can show, and where each artist's design of them is found.

A *class* is a kind of object ("dog"); a *design* is one artist's drawing of it. Names of icons are matched
after dropping hyphens, because every icon set slugs the Unicode label in its own way.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ObjectClass:
    """One class of objects: its name in captions, its Unicode code point and its names in the icon sets."""

    name: str
    code_point: str
    icons: tuple[str, ...]
    not_by: tuple[str, ...] = ()  # artists whose icon of that name shows something else


def _class(name: str, code_point: str, *icons: str, not_by: tuple[str, ...] = ()) -> ObjectClass:
    return ObjectClass(name, code_point, icons, not_by)


#: Classes of the 30 subjects, after the paper's Table A1.
SUBJECT_CLASSES = (
    _class("backpack", "1f392", "backpack", "schoolsatchel"),
    _class("bowl", "1f963", "bowlwithspoon"),
    _class("candle", "1f56f", "candle"),
    _class("cat", "1f431", "catface", "cat"),
    _class("dog", "1f436", "dogface", "dog"),
    _class("duck", "1f986", "duck"),
    _class("boot", "1f462", "womansboot", "boot", "womensboots", "womansboots"),
    _class("sloth", "1f9a5", "sloth"),
    _class("monster", "1f47e", "alienmonster"),
    _class("poo", "1f4a9", "pileofpoo", "poo"),
    _class("sneaker", "1f45f", "runningshoe", "athleticshoe"),
    _class("sunglasses", "1f576", "sunglasses", not_by=("fxemoji",)),
    _class("car", "1f697", "automobile"),
    _class("ogre", "1f479", "ogre", "japaneseogre"),
    _class("robot", "1f916", "robot", "robotface"),
    _class("vase", "1f3fa", "amphora"),
    _class("clock", "23f0", "alarmclock"),
    _class("teddy bear", "1f9f8", "teddybear"),
    _class("wolf", "1f43a", "wolf", "wolfface"),
    _class("teapot", "1fad6", "teapot"),
    _class("can", "1f96b", "cannedfood"),
)

#: Neighbours: style references show them, and they keep the base from being about subjects only.
NEIGHBOUR_CLASSES = (
    _class("fox", "1f98a", "fox", "foxface"),
    _class("owl", "1f989", "owl"),
    _class("penguin", "1f427", "penguin"),
    _class("frog", "1f438", "frog", "frogface"),
    _class("panda", "1f43c", "panda", "pandaface"),
    _class("apple", "1f34e", "redapple", "apple"),
    _class("strawberry", "1f353", "strawberry"),
    _class("hamburger", "1f354", "hamburger"),
    _class("cake", "1f382", "birthdaycake"),
    _class("mushroom", "1f344", "mushroom"),
    _class("cactus", "1f335", "cactus"),
    _class("rocket", "1f680", "rocket"),
    _class("castle", "1f3f0", "castle", "europeancastle"),
    _class("guitar", "1f3b8", "guitar"),
    _class("sailboat", "26f5", "sailboat"),
    _class("hat", "1f3a9", "tophat"),
    _class("house", "1f3e0", "house", "housebuilding"),
    _class("tree", "1f332", "evergreentree"),
    _class("ice cream", "1f366", "softicecream", "softserveicecream"),
    _class("crown", "1f451", "crown"),
    _class("ghost", "1f47b", "ghost"),
    _class("pumpkin", "1f383", "jackolantern"),
    _class("gift", "1f381", "wrappedgift", "present"),
    _class("fish", "1f41f", "fish"),
    _class("octopus", "1f419", "octopus"),
    _class("umbrella", "2602", "umbrella", "openumbrella"),
    _class("bus", "1f68c", "bus"),
)

CLASSES = SUBJECT_CLASSES + NEIGHBOUR_CLASSES
CLASS_NAMES = tuple(row.name for row in CLASSES)
