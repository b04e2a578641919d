"""Everything the client raises.

::

    WaterflowError
    ├── InvalidSettings            a server address or option that cannot be used
    ├── ServerUnavailable          nobody answers, or nobody who can answer now
    ├── NotWaterflow               somebody answers who is no Waterflow server
    ├── WorkflowTimeout            the run did not end within the time that the caller would wait
    └── RequestError               the server refused the request and said why
        ├── InvalidRequest         400, 413, 415, 422
        │   ├── InvalidWorkflow    422 with diagnostics
        │   └── InvalidGroups      422 with what is wrong with groups, and where
        ├── Unauthorized           401
        ├── Forbidden              403
        ├── NotFound               404
        │   ├── RunNotFound
        │   ├── NodeNotFound
        │   ├── AgentNotFound
        │   ├── GroupNotFound
        │   └── KeyNotFound
        ├── Conflict               409
        │   ├── RunClosed
        │   ├── RunNotEnded
        │   ├── NothingToRetry
        │   ├── NothingWaits
        │   ├── AnswerRefused
        │   ├── IdempotencyConflict
        │   ├── AgentAlive
        │   ├── AgentAmbiguous
        │   ├── GroupExists
        │   ├── GroupConflict
        │   └── GroupIncluded
        ├── TooManyRequests        429
        └── ServerFault            500
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class WaterflowError(Exception):
    """Base of all errors of the client.

    ``code`` is stable and for programs; ``message`` is a sentence; ``details`` are facts as JSON values; ``remedy``
    says what to do about it (may be empty).
    """

    code = "waterflow"
    remedy = ""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details: dict[str, Any] = dict(details or {})
        if code is not None:
            self.code = code
        if remedy is not None:
            self.remedy = remedy

    @property
    def request_id(self) -> str:
        """The id under which the server's log tells of the request that failed; empty where none was given."""
        return str(self.details.get("request_id", ""))


class InvalidSettings(WaterflowError):
    """A server address, time-out or other option of the client that cannot be used."""

    code = "client-settings"


class ServerUnavailable(WaterflowError):
    """The server cannot be reached, did not answer in time, or says that it cannot work now (502, 503, 504)."""

    code = "server-unavailable"
    remedy = "check that the server runs (`waterflow server status`) and its address (--server or WATERFLOW_SERVER)"


class NotWaterflow(WaterflowError):
    """Something answers at the address, but not as a Waterflow server does."""

    code = "not-waterflow"
    remedy = "check the server's address (--server or WATERFLOW_SERVER), its port and the path in front of /v1"


class WorkflowTimeout(WaterflowError):
    """The run did not end within the time that the caller would wait. The run itself goes on."""

    code = "wait-timeout"
    remedy = "the run goes on: wait longer, or cancel it"


class RequestError(WaterflowError):
    """The server refused the request. ``status`` is the HTTP status, ``errors`` what the problem document lists."""

    code = "request"

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        code: str | None = None,
        errors: Sequence[dict[str, Any]] = (),
        details: Mapping[str, Any] | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, code=code, details=details, remedy=remedy)
        self.status = status
        self.errors = list(errors)


class InvalidRequest(RequestError):
    """The request itself is wrong: a field, its type, its size."""

    code = "invalid-request"


class InvalidWorkflow(InvalidRequest):
    """The workflow file has errors; ``diagnostics`` are the language's, as JSON."""

    code = "invalid-workflow"
    remedy = "correct the file; `waterflow validate FILE` shows each place"

    @property
    def diagnostics(self) -> list[dict[str, Any]]:
        """The diagnostics, in the order of the file."""
        return self.errors


class InvalidGroups(InvalidRequest):
    """A group, or a file of them, that cannot be; ``errors`` list all that is wrong, with places."""

    code = "invalid-groups"


class Unauthorized(RequestError):
    """The API key is missing, unknown or expired."""

    code = "unauthorized"
    remedy = "give an API key with --api-key or WATERFLOW_API_KEY"


class Forbidden(RequestError):
    """The API key is known, but may not do this."""

    code = "forbidden"
    remedy = "use an API key with the scope that the message names"


class NotFound(RequestError):
    """What the request names does not exist."""

    code = "not-found"


class RunNotFound(NotFound):
    """No run has this id."""

    code = "run-not-found"
    remedy = "`waterflow list` shows the runs; closed runs are kept for the server's retention time"


class NodeNotFound(NotFound):
    """No node has this name."""

    code = "node-not-found"
    remedy = "`waterflow node list` shows the nodes; a node needs an agent that has its package installed"


class AgentNotFound(NotFound):
    """No agent has this id."""

    code = "agent-not-found"
    remedy = "`waterflow agent list` shows the agents"


class GroupNotFound(NotFound):
    """There is no group of this name, or the server does not keep it."""

    code = "group-not-found"
    remedy = "`waterflow group list` shows the groups"


class KeyNotFound(NotFound):
    """There is no API key of this id or name."""

    code = "key-not-found"
    remedy = "`waterflow key list` shows the keys"


class Conflict(RequestError):
    """The request does not fit the state of things."""

    code = "conflict"


class RunClosed(Conflict):
    """The run has ended: nothing can be done to it any more."""

    code = "run-closed"


class RunNotEnded(Conflict):
    """The run still lives: there is nothing final yet that could be retried."""

    code = "run-not-ended"
    remedy = "wait for its end (`waterflow logs -f RUN`), or cancel it (`waterflow cancel RUN`)"


class NothingToEdit(Conflict):
    """The run has succeeded: there is nothing left of it to go on with."""

    code = "nothing-to-edit"
    remedy = "`waterflow run FILE` starts it"


class NothingToRetry(Conflict):
    """The run has nothing of what the scope asks for: no failed step, or no such job."""

    code = "nothing-to-retry"


class NothingWaits(Conflict):
    """No approval waits in the run, not the one that was named, or several and none was named."""

    code = "nothing-waits"
    remedy = "`waterflow status RUN` shows what waits; where several do, --step says which one is meant"


class AnswerRefused(Conflict):
    """The approval does not take an answer from this person; the message names those who may."""

    code = "answer-refused"


class IdempotencyConflict(Conflict):
    """The idempotency key was used before, for another file or other values."""

    code = "idempotency-conflict"
    remedy = "use a new key for another submission"


class AgentAlive(Conflict):
    """An agent that lives is not removed."""

    code = "agent-alive"
    remedy = "stop the agent on its host first; `waterflow agent cordon` keeps work away from it at once"


class AgentAmbiguous(Conflict):
    """Several agents have this name."""

    code = "agent-ambiguous"
    remedy = "`waterflow agent list -o wide` shows the ids"


class GroupExists(Conflict):
    """A new group has the name of one that is there."""

    code = "group-exists"
    remedy = "choose another name, or change the group that is there (`waterflow group add`, `waterflow group apply`)"


class GroupConflict(Conflict):
    """The group was changed in the meantime."""

    code = "group-conflict"
    remedy = "read it again (`waterflow group show`) and repeat the change"


class GroupIncluded(Conflict):
    """Other groups include the one that is to be deleted."""

    code = "group-included"
    remedy = "take it out of the groups that the message names first"


class TooManyRequests(RequestError):
    """The server's rate limit is reached."""

    code = "too-many-requests"
    remedy = "wait a moment and try again"


class ServerFault(RequestError):
    """The server failed at a request that it should have answered: a defect there."""

    code = "server-fault"
    remedy = "the server's log says more under the id of the request; please report it"
