"""The tables of the language: ``_tables`` joins what ``_workflow``, ``_triggers``, ``_job`` and ``_step`` declare."""
