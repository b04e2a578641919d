"""From a job to its instances, the pure part: the matrix by GitHub's rules, items times target hosts, the batches
of a rollout. Nothing here knows Temporal's workflows, so that a plan shows before the run what the run will do.
"""

from ._batches import batch_sizes, ranked
from ._expansion import Host, Instance, as_groups_say, combine, concrete_target, elements, host_of, label, too_many

__all__ = [
    "Host",
    "Instance",
    "as_groups_say",
    "batch_sizes",
    "combine",
    "concrete_target",
    "elements",
    "host_of",
    "label",
    "ranked",
    "too_many",
]
