"""Every diagnostic code, with its title and explanation. The reference page is generated from this table.

Codes are stable: a code is never given another meaning, and never used again once retired. Hundreds group them:
10 source and YAML, 11 structure, 12 expressions, 13 references, 14 nodes, 15 graph, 16 triggers,
17 targets, 18 actions, 19 calls of
reusable workflows.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Severity(StrEnum):
    """How bad a finding is. Only errors keep a file from running."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Code(StrEnum):
    """The stable code of each kind of finding."""

    NOT_YAML = "WF1001"
    EMPTY = "WF1002"
    NOT_TEXT = "WF1003"
    TAB = "WF1004"
    TOO_LARGE = "WF1005"
    TOO_DEEP = "WF1006"
    ALIASES = "WF1007"
    DUPLICATE_KEY = "WF1008"
    TAG = "WF1009"
    MANY_DOCUMENTS = "WF1010"
    MERGE_KEY = "WF1011"
    CONTROL_CHARACTER = "WF1012"
    KEY_NOT_TEXT = "WF1013"
    NUMBER_RANGE = "WF1014"
    LOOK_ALIKE = "WF1015"

    WRONG_TYPE = "WF1101"
    UNKNOWN_KEY = "WF1102"
    MISSING_KEY = "WF1103"
    NOT_AN_OPTION = "WF1104"
    NOT_A_DURATION = "WF1105"
    OUT_OF_RANGE = "WF1106"
    NOT_A_NAME = "WF1107"
    CONFLICTING_KEYS = "WF1108"
    LANGUAGE_VERSION = "WF1109"
    NEWER_MINOR = "WF1110"
    NO_JOBS = "WF1111"
    EMPTY_VALUE = "WF1112"
    GITHUB_ONLY = "WF1113"
    NOT_A_STEP = "WF1114"
    DUPLICATE_ID = "WF1115"
    NOT_IN_GITHUB = "WF1116"
    MATRIX_TOO_LARGE = "WF1117"
    NOT_AN_AMOUNT = "WF1118"

    EXPRESSION_LEXING = "WF1201"
    EXPRESSION_SYNTAX = "WF1202"
    UNKNOWN_FUNCTION = "WF1203"
    CONTEXT_NOT_HERE = "WF1204"
    EXPRESSION_NOT_HERE = "WF1205"
    CONDITION_FORM = "WF1206"
    EXTENSION = "WF1207"

    UNKNOWN_REFERENCE = "WF1301"
    UNKNOWN_STEP = "WF1302"
    LATER_STEP = "WF1303"
    UNKNOWN_NEED = "WF1304"
    UNKNOWN_OUTPUT = "WF1305"
    UNDECLARED_VAR = "WF1306"
    UNDECLARED_INPUT = "WF1307"
    UNDECLARED_SECRET = "WF1308"
    OPAQUE_SECRET = "WF1309"

    UNKNOWN_NODE = "WF1401"
    UNKNOWN_NODE_INPUT = "WF1402"
    NODE_INPUT = "WF1403"
    MISSING_NODE_INPUT = "WF1404"
    ACTION_RUNTIME = "WF1405"
    USES_FORM = "WF1406"
    NOT_FOR_NODE = "WF1407"
    RUN_AS_NOT_HERE = "WF1408"

    SELF_NEED = "WF1501"
    CYCLE = "WF1502"
    UNKNOWN_JOB = "WF1503"
    UNREACHABLE = "WF1504"

    UNKNOWN_TRIGGER = "WF1601"
    CRON = "WF1602"
    TIME_ZONE = "WF1603"
    TRIGGER_NOT_RUN = "WF1604"
    FILTER_CONFLICT = "WF1605"

    ACTION_USING = "WF1801"
    ACTION_KEY = "WF1802"

    UNKNOWN_GROUP = "WF1701"
    GROUP_AS_TAG = "WF1702"
    UNKNOWN_AGENT = "WF1703"
    NEEDS_TARGET_ALL = "WF1704"
    NO_CAPABILITY = "WF1705"
    NODE_NOT_THERE = "WF1706"
    NO_MEMBER_FITS = "WF1707"
    NOT_EVERYWHERE = "WF1708"
    NOBODY_ONLINE = "WF1709"
    NOBODY_ONLINE_YET = "WF1710"

    NOT_CALLABLE = "WF1901"
    UNKNOWN_CALL_INPUT = "WF1902"
    CALL_INPUT_TYPE = "WF1903"
    MISSING_CALL_INPUT = "WF1904"
    CALL_CYCLE = "WF1905"
    UNKNOWN_CALLED = "WF1906"
    CALL_DEPTH = "WF1907"


class CodeInfo(msgspec.Struct, frozen=True):
    """What the reference says of a code."""

    title: str
    explanation: str
    severity: Severity = Severity.ERROR


_W, _I = Severity.WARNING, Severity.INFO

CODES: dict[Code, CodeInfo] = {
    Code.NOT_YAML: CodeInfo(
        "The file is not YAML",
        "The YAML reader stopped at this place. Most often the indentation differs from the line above, or a text with "
        "`: `, `#`, `*`, `&`, `!`, `{` or `[` needs quotes.",
    ),
    Code.EMPTY: CodeInfo(
        "The file is empty", "There is nothing but white space or comments. A workflow needs `jobs:`."
    ),
    Code.NOT_TEXT: CodeInfo("The file is not UTF-8 text", "Save the file as UTF-8. Binary files are refused."),
    Code.TAB: CodeInfo("A tab where YAML wants spaces", "YAML does not allow tabs for indentation. Use spaces."),
    Code.TOO_LARGE: CodeInfo(
        "The file is too large", "Files are limited in bytes and in values. Move data out of the workflow or split it."
    ),
    Code.TOO_DEEP: CodeInfo("The file is nested too deeply", "Lists and mappings may be nested 100 levels deep."),
    Code.ALIASES: CodeInfo(
        "An alias that cannot be followed",
        "The anchor does not exist, contains itself, or all aliases together repeat more than 100,000 values.",
    ),
    Code.DUPLICATE_KEY: CodeInfo(
        "The same key twice",
        "A mapping holds each key once. The kebab-case and the snake_case spelling of a key are the same key.",
    ),
    Code.TAG: CodeInfo(
        "A YAML tag that is not allowed",
        "Only the standard tags of YAML's core schema are known. A text that starts with `!` needs quotes: "
        '`if: "!cancelled()"`.',
    ),
    Code.MANY_DOCUMENTS: CodeInfo("More than one document", "A file holds one workflow: remove `---` after the first."),
    Code.MERGE_KEY: CodeInfo(
        "A merge key that cannot be merged", "`<<` takes an alias of a mapping, or a list of them."
    ),
    Code.CONTROL_CHARACTER: CodeInfo(
        "A character that text may not hold",
        "Control characters and lone surrogates are refused. Delete the character.",
    ),
    Code.KEY_NOT_TEXT: CodeInfo("A key that is not text", "Keys are plain text: no lists, mappings or empty keys."),
    Code.NUMBER_RANGE: CodeInfo(
        "A number that cannot be kept", "Numbers are 64-bit floating point, finite. Quote the value to keep it as text."
    ),
    Code.LOOK_ALIKE: CodeInfo(
        "A character that looks like another",
        "The key holds a character outside ASCII that looks like a usual one, such as a full-width colon or "
        "a Cyrillic letter. Type it anew.",
    ),
    Code.WRONG_TYPE: CodeInfo("A value of the wrong kind", "The message says which kind is expected."),
    Code.UNKNOWN_KEY: CodeInfo("An unknown key", "The key does not exist here. The hint names the nearest one."),
    Code.MISSING_KEY: CodeInfo("A required key is missing", "Add the key that the message names."),
    Code.NOT_AN_OPTION: CodeInfo("Not one of the options", "The message lists the values that are possible."),
    Code.NOT_A_DURATION: CodeInfo(
        "Not a duration", "Durations are `500ms`, `30s`, `10m`, `2h`, `1d`, `1h30m`, or a number of seconds."
    ),
    Code.OUT_OF_RANGE: CodeInfo("A number out of range", "The message says which numbers are possible."),
    Code.NOT_A_NAME: CodeInfo(
        "Not a name",
        "Ids start with a letter (GitHub: or `_`) and go on with letters, digits, `_` and `-`.",
    ),
    Code.CONFLICTING_KEYS: CodeInfo("Keys that exclude each other", "Keep one of the keys that the message names."),
    Code.LANGUAGE_VERSION: CodeInfo(
        "An unknown version of the language", 'This release reads version 1. Remove `version` or set it to "1.0".'
    ),
    Code.NEWER_MINOR: CodeInfo(
        "A newer version of the language", "The file asks for a newer minor version; what it added is unknown here.", _W
    ),
    Code.NO_JOBS: CodeInfo("No jobs", "A workflow has at least one job, and a job at least one step."),
    Code.EMPTY_VALUE: CodeInfo("A key without a value", "Write a value after the colon or remove the key."),
    Code.GITHUB_ONLY: CodeInfo(
        "A GitHub key without effect",
        "The key is GitHub's and valid, but Waterflow does not act on it. The file runs without it.",
        _W,
    ),
    Code.NOT_A_STEP: CodeInfo(
        "A step that does nothing",
        "A step has exactly one of `run`, `uses`, `parallel`, `then`, or `steps` with `for-each` or `while`.",
    ),
    Code.DUPLICATE_ID: CodeInfo(
        "The same id twice", "Step ids are unique in a job; only `then` and `else` of one `if` may share one."
    ),
    Code.NOT_IN_GITHUB: CodeInfo("Not in GitHub's language", "The key is Waterflow's; GitHub refuses the file."),
    Code.MATRIX_TOO_LARGE: CodeInfo(
        "The matrix is too large",
        "A matrix makes at most 256 job instances; `strategy.max-instances` raises it, up to 10,000.",
    ),
    Code.NOT_AN_AMOUNT: CodeInfo("Not an amount of memory", "Amounts: `512MiB`, `2GiB`, `1.5G`; from 1 MiB to 1 PiB."),
    Code.EXPRESSION_LEXING: CodeInfo(
        "An expression with unreadable characters", "Texts in expressions take single quotes, and `''` is one quote."
    ),
    Code.EXPRESSION_SYNTAX: CodeInfo("An expression that cannot be read", "The message is GitHub's, with the place."),
    Code.UNKNOWN_FUNCTION: CodeInfo(
        "An unknown function, or one that cannot be used here", "Status functions belong into `if`."
    ),
    Code.CONTEXT_NOT_HERE: CodeInfo(
        "A context that does not exist here",
        "Each key knows some contexts only: `steps` does not exist before a job's steps run, for example.",
    ),
    Code.EXPRESSION_NOT_HERE: CodeInfo(
        "An expression where the value must be fixed",
        "`${{ }}` is not possible here: the value is needed at validation.",
    ),
    Code.CONDITION_FORM: CodeInfo(
        "A condition that is text around an expression",
        "`if: ${{ a }} && ${{ b }}` is a text, and a text is always true. Write one expression: `if: a && b`.",
    ),
    Code.EXTENSION: CodeInfo("A function that GitHub does not have", "The file will not run on GitHub.", _I),
    Code.UNKNOWN_REFERENCE: CodeInfo("A name that does not exist", "The context has no such field."),
    Code.UNKNOWN_STEP: CodeInfo("An unknown step", "No step of this job has that `id`."),
    Code.LATER_STEP: CodeInfo("A step that runs later", "Only steps that ran before this one have outputs."),
    Code.UNKNOWN_NEED: CodeInfo("A job that is not in `needs`", "Add the job to `needs` of this job."),
    Code.UNKNOWN_OUTPUT: CodeInfo("An unknown output", "The job, or the node, does not declare that output."),
    Code.UNDECLARED_VAR: CodeInfo("An undeclared variable", "Declare it with a default under `vars:`."),
    Code.UNDECLARED_INPUT: CodeInfo("An undeclared input", "Declare it under `on.manual.inputs` or `on.call.inputs`."),
    Code.UNDECLARED_SECRET: CodeInfo(
        "A secret that the file does not declare", "The file declares its secrets, but not this one.", _W
    ),
    Code.OPAQUE_SECRET: CodeInfo(
        "A function or operator over a secret that the agent reads",
        "Nobody but the agent knows the value, and expressions are evaluated before. It may stand alone or be part of "
        "a text: `${{ secrets.X }}`, `user:${{ secrets.X }}`.",
    ),
    Code.UNKNOWN_NODE: CodeInfo("An unknown node", "No agent offers a node of that name."),
    Code.UNKNOWN_NODE_INPUT: CodeInfo("An unknown input of a node", "The node does not take that input."),
    Code.NODE_INPUT: CodeInfo("A node input that does not fit", "The value does not fit the node's JSON Schema."),
    Code.MISSING_NODE_INPUT: CodeInfo("A required node input is missing", "Add the input under `with:`."),
    Code.ACTION_RUNTIME: CodeInfo(
        "A GitHub action", "The step needs the action runtime on the agent, which is checked when the step runs.", _W
    ),
    Code.USES_FORM: CodeInfo(
        "`uses` in no known form",
        "Forms: a node `docker/exec`, a node's version `docker/exec@1`, an action `owner/repo@ref`, a directory "
        "`./dir`, an image `docker://image`, a library step `steps/name`.",
    ),
    Code.NOT_FOR_NODE: CodeInfo(
        "A key that the node does not take", "The key belongs to `run:`, or the node does not declare that input."
    ),
    Code.RUN_AS_NOT_HERE: CodeInfo(
        "A step that cannot run as another user",
        "`run-as` is for the processes of a step. The node does its work inside the agent itself, or on no host at "
        'all. A step with `run-as: ""` runs as the agent\'s own user, whatever the job or the defaults say.',
    ),
    Code.SELF_NEED: CodeInfo("A job that needs itself", "Remove the job from its own `needs`."),
    Code.CYCLE: CodeInfo("Jobs that wait for each other", "Remove one of the `needs` of the cycle."),
    Code.UNKNOWN_JOB: CodeInfo("An unknown job in `needs`", "The file has no job of that id."),
    Code.UNREACHABLE: CodeInfo("A job that can never run", "It needs a job whose condition is always false.", _W),
    Code.UNKNOWN_TRIGGER: CodeInfo(
        "An unknown trigger", "The triggers are `manual`, `schedule`, `webhook` and `call`."
    ),
    Code.CRON: CodeInfo(
        "Not a cron expression", "Five fields: minute, hour, day of month, month, day of week. `*/15 2 * * 1-5`."
    ),
    Code.TIME_ZONE: CodeInfo("Not a time zone", "Use a name of the IANA time zone database: `Asia/Shanghai`, `UTC`."),
    Code.TRIGGER_NOT_RUN: CodeInfo(
        "A trigger of GitHub's", "Waterflow knows the event and ignores it; start the workflow by hand.", _W
    ),
    Code.FILTER_CONFLICT: CodeInfo(
        "Two filters that exclude each other",
        "GitHub documents that an event takes either a filter or the same filter with `-ignore`, not both.",
        _W,
    ),
    Code.ACTION_USING: CodeInfo(
        "An unknown kind of action", "`runs.using` is node12, node16, node20, node24, docker or composite."
    ),
    Code.ACTION_KEY: CodeInfo(
        "A key that this kind of action does not have, or lacks",
        "JavaScript actions have `main`, Docker actions `image`, composite actions `steps`; a composite step that "
        "runs a script names its `shell`.",
    ),
    Code.UNKNOWN_GROUP: CodeInfo("An unknown group", "No group of that name exists on the server."),
    Code.GROUP_AS_TAG: CodeInfo(
        "A group's name in a list of tags", "A list in `runs-on` means tags. For groups write `{group: [a, b]}`.", _W
    ),
    Code.UNKNOWN_AGENT: CodeInfo("An unknown agent", "No agent of that name is known to the server."),
    Code.NEEDS_TARGET_ALL: CodeInfo(
        "`rollout` without `target: all`", "A rollout goes over every member of a group: add `target: all`.", _W
    ),
    Code.NO_CAPABILITY: CodeInfo(
        "A capability that no member has",
        "The node needs something that no agent of the job's group has found or declares, such as `docker`. "
        "Install it, or let the job run elsewhere.",
    ),
    Code.NODE_NOT_THERE: CodeInfo(
        "A node that no member has",
        "No agent of the job's target can run the step: the message says what each of them lacks. Install the node "
        "pack there, or let the job run elsewhere.",
    ),
    Code.NO_MEMBER_FITS: CodeInfo(
        "No member has all that the job needs",
        "All steps of a job run on one host, and each member of the target lacks something. Install it on one of them, "
        "or split the job.",
    ),
    Code.NOT_EVERYWHERE: CodeInfo(
        "A node that some members lack",
        "With `target: all` every member runs the job; on those that the message names the step will fail.",
        _W,
    ),
    Code.NOBODY_ONLINE: CodeInfo(
        "Nobody is there to run the job",
        "No member of the job's target is online, and its `offline` policy is `fail` (the default). Start an agent, or "
        "let the job wait (`offline: {wait: 2h}`) or be skipped (`offline: skip`).",
    ),
    Code.NOBODY_ONLINE_YET: CodeInfo(
        "Nobody is there to run the job yet",
        "No member of the job's target is online now. The run is accepted, because the job may wait, be skipped, or "
        "start later.",
        _W,
    ),
    Code.NOT_CALLABLE: CodeInfo(
        "A workflow that cannot be called", "A workflow that others call has the trigger `call` under `on`."
    ),
    Code.UNKNOWN_CALL_INPUT: CodeInfo(
        "An input or secret that the called workflow does not have",
        "`with` and `secrets` of a call name what the called file declares under `on.call`.",
    ),
    Code.CALL_INPUT_TYPE: CodeInfo(
        "An input of a call of the wrong type", "The called file declares the type under `on.call.inputs`."
    ),
    Code.MISSING_CALL_INPUT: CodeInfo(
        "An input or secret that the called workflow needs",
        "The called file says `required: true`: pass it under `with:` or `secrets:`, or write `secrets: inherit`.",
    ),
    Code.CALL_CYCLE: CodeInfo(
        "Workflows that call each other", "The calls would never end. Remove one of those that the message names."
    ),
    Code.UNKNOWN_CALLED: CodeInfo(
        "A called workflow that is not there",
        "`./path` is a file beside the caller, which is sent along with it; a bare name is a stored workflow.",
    ),
    Code.CALL_DEPTH: CodeInfo(
        "Calls that are nested too deeply",
        "At most ten levels: the workflow itself and nine that it calls, one through the other, as on GitHub.",
    ),
}
