"""The keeper: a small process beside the agent that is the parent of steps' processes, so that they survive the agent.

It starts them, holds their pipes, collects their exit codes and ends those that must not live without contact (fence).
It knows nothing of nodes, logs and Temporal, and keeps all in memory: output until the agent has written it down, and
the context that the next start of the agent needs to go on. Linux only (pidfds, epoll).

Every module of this package runs in that process and loads nothing but what the interpreter has built in: it is to
take little memory. The agent's end is :mod:`waterflow_agent._keeping`.
"""
