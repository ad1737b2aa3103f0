"""The report of ``lorarar judge report``: the paper's tables, Figure A7 by group, a gallery to share."""
