"""The instances of one job as child workflows: at most so many at once, in shards where they are many, in batches
where the job is a rollout, and with a brake for when enough have failed. :mod:`.shard` is the workflow between a
run and the instances of a large job.
"""
