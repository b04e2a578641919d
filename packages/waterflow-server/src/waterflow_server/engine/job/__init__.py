"""``WaterflowJob``, one job instance on one host: its turn, the environment that it deploys to, its place, its
steps as a whole, what follows them, and what it takes along into the next run of its workflow.
"""
