"""``python -I -S <this file> STATE-DIRECTORY``: without site-packages, so with a path of its own to the package."""

import sys

if __name__ == "__main__":
    sys.path.append(__file__.rsplit("/", 3)[0])
    __package__ = "waterflow_agent._keeper"
    from ._main import main

    sys.exit(main(sys.argv[1]))
