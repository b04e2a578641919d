"""Helpers for the tests of a node pack: run a node as an agent would, check that it conforms.

::

    def test_it_notifies(tmp_path):
        result = run_node(Notify, {"webhook-url": url, "message": "hello"}, workspace=tmp_path)
        assert result.outputs == {"status": "ok"}
"""

from ._conformance import assert_conforms
from ._run import NodeResult, run_node, run_node_async

__all__ = ["NodeResult", "assert_conforms", "run_node", "run_node_async"]
