"""Chaos: generated workflows run while agents, the server and Temporal are killed; an oracle says what must come out.

python -m chaos --seeds 50      fifty runs and a table
python -m chaos --seed 17       that one again
"""
