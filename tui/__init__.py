"""The terminal app: browse merges as pictures, vote in studies. No other room knows it but the command line."""

from lorarar.util.moved import find_moved_modules

find_moved_modules({"tui.main": "tui.cli.main"})  # which scripts of an older installation start
