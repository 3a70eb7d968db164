from .apply.receipt import DeletionReceipt as DeletionReceipt
from .apply.start import resume_deletion as resume_deletion
from .apply.unhiding import unhide_images as unhide_images
from .backup.backup import Backup as Backup
from .backup.restore import restore_images as restore_images
from .deletion import (
    DeletionPlan as DeletionPlan,
    plan_deletion as plan_deletion,
    read_plan as read_plan,
)
from .plan.candidates import suggest as suggest, summarize_candidates as summarize_candidates
from .plan.guard import Caps as Caps
from .policy.follow import follow_policy as follow_policy
