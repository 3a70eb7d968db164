"""From a choice of images to a plan, and what it would do."""

from picora_analytics.cleanup.backup import Backup
from picora_analytics.cleanup.guard import Caps
from picora_analytics.cleanup.plan import DeletionPlan
from picora_analytics.cleanup.planfile import read_plan
from picora_analytics.cleanup.planning import plan_deletion
from picora_analytics.cleanup.receipt import DeletionReceipt
from picora_analytics.cleanup.restore import restore_images
from picora_analytics.cleanup.resuming import resume_deletion

__all__ = [
    "Backup",
    "Caps",
    "DeletionPlan",
    "DeletionReceipt",
    "plan_deletion",
    "read_plan",
    "restore_images",
    "resume_deletion",
]
