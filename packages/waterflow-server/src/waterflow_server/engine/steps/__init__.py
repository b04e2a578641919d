"""The steps of a job instance: lists of them one after the other, blocks that come back to lists, the attempts of
one step and how each gets to its agent and back, what follows when steps have ended, and what a retry takes up of
an earlier run. They share one context, :mod:`._context`.
"""
