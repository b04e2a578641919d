"""The nodes that come with Waterflow. Agents find them by their entry points, as they find anybody's.

``shell``, ``file/read``, ``file/write``, ``http/request``, ``env/set``: one module a node; none is imported here.
"""

__all__: list[str] = []
