"""`waterflow dev` with stand-ins for the Waterflow server and agents: dev_command.py OPTION…"""

import os
import sys
from pathlib import Path

from waterflow_server.dev import StackSettings
from waterflow_server.dev._command import main

STAND_IN = (sys.executable, str(Path(__file__).with_name("stand_in.py")))

code = main(
    sys.argv[1:],
    StackSettings(server_command=(*STAND_IN, "server", "{port}"), agent_command=(*STAND_IN, "agent")),
)
sys.stdout.flush()
sys.stderr.flush()
os._exit(code)
