"""From a choice of images to a plan, and what it would do."""

from picora_analytics.cleanup.plan import Caps, DeletionPlan, plan_deletion
from picora_analytics.cleanup.planfile import read_plan
from picora_analytics.cleanup.receipt import DeletionReceipt

__all__ = ["Caps", "DeletionPlan", "DeletionReceipt", "plan_deletion", "read_plan"]
