"""The app on the command line: ``lorarar-tui``, and the command of the studies that opens the voting screens."""
