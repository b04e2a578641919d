"""What records histories: from Temporal to files (`_recorder`), runs of workflow files and what happens to them
(`_features`, `_acts`), and workflows that are driven without a file (`_driven`).
"""
