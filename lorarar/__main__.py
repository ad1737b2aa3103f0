"""``python -m lorarar``"""

from lorarar.cli.main import app

app(prog_name="lorarar")
