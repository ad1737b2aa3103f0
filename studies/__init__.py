"""Blind human studies of generated pictures: designed, held and reported without any face of their own."""

from lorarar.util.moved import find_moved_modules

find_moved_modules()
