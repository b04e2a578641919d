"""What is known of a job while it runs, and how it gets into the next run of its workflow: the records of steps and
attempts, how far the job is, when its history is long enough for a roll-over, and what of the steps is carried
along.
"""
