"""From a choice of images to a plan, and what it would do."""

from picora_analytics.cleanup.apply.receipt import DeletionReceipt
from picora_analytics.cleanup.apply.start import resume_deletion
from picora_analytics.cleanup.apply.unhiding import unhide_images
from picora_analytics.cleanup.backup.backup import Backup
from picora_analytics.cleanup.backup.restore import restore_images
from picora_analytics.cleanup.deletion import DeletionPlan, plan_deletion, read_plan
from picora_analytics.cleanup.plan.candidates import suggest, summarize_candidates
from picora_analytics.cleanup.plan.guard import Caps
from picora_analytics.cleanup.policy.follow import follow_policy

__all__ = [
    "Backup",
    "Caps",
    "DeletionPlan",
    "DeletionReceipt",
    "follow_policy",
    "plan_deletion",
    "read_plan",
    "restore_images",
    "resume_deletion",
    "suggest",
    "summarize_candidates",
    "unhide_images",
]
