"""The report of ``lorarar study report``, a section a file."""
