"""What ``lorarar judge report`` says: the paper's tables, figure A7 by group, a gallery to share."""
