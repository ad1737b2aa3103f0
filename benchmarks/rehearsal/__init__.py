"""The rehearsal: the real commands on checkpoints of true size with random weights, each in a process of its own.

What it measures holds for the real thing, whose weights have the same names, shapes and numbers; its pictures and
verdicts mean nothing.
"""
