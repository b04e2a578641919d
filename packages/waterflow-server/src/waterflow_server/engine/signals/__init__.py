"""How whatever runs is reached from outside: a stop that every waiting place hears, the gate that a pause closes,
the inbox for events and answers to approvals, and the turn in a concurrency group. Runs and jobs hold one of each;
their workflows hand them what Temporal delivers.
"""
