"""Soak: the long forms of the proofs, minutes instead of seconds.

python -m soak                 all of them
python -m soak logs            a million numbered log lines of twenty agents while everything is killed
python -m soak chaos           fifty generated runs while everything is killed
python -m soak sizes           300 hosts, 1,000 instances, 1,000 jobs, long loops: the tests with the mark `soak`
"""
