# The public names, each with its home; __init__.py imports them when they are first used.

from .analysis import (
    SnapshotDiff as SnapshotDiff,
    compare_snapshots as compare_snapshots,
    forecast_storage as forecast_storage,
    rules as rules,
    summarize_ages as summarize_ages,
    summarize_changes as summarize_changes,
    summarize_concentration as summarize_concentration,
    summarize_dimensions as summarize_dimensions,
    summarize_duplicates as summarize_duplicates,
    summarize_formats as summarize_formats,
    summarize_growth as summarize_growth,
    summarize_heavy as summarize_heavy,
    summarize_largest as summarize_largest,
    summarize_library as summarize_library,
    summarize_names as summarize_names,
    summarize_savings as summarize_savings,
    summarize_sizes as summarize_sizes,
    summarize_tag_hygiene as summarize_tag_hygiene,
    summarize_tags as summarize_tags,
    summarize_visibility as summarize_visibility,
)
from .charts import (
    plot_ages as plot_ages,
    plot_bytes_per_pixel as plot_bytes_per_pixel,
    plot_changes as plot_changes,
    plot_concentration as plot_concentration,
    plot_dimensions as plot_dimensions,
    plot_forecast as plot_forecast,
    plot_formats as plot_formats,
    plot_growth as plot_growth,
    plot_largest as plot_largest,
    plot_overview as plot_overview,
    plot_savings as plot_savings,
    plot_sizes as plot_sizes,
    plot_tags as plot_tags,
    plot_treemap as plot_treemap,
    plot_visibility as plot_visibility,
)
from .cleanup import (
    Backup as Backup,
    DeletionPlan as DeletionPlan,
    DeletionReceipt as DeletionReceipt,
    follow_policy as follow_policy,
    plan_deletion as plan_deletion,
    read_plan as read_plan,
    restore_images as restore_images,
    resume_deletion as resume_deletion,
    suggest as suggest,
    summarize_candidates as summarize_candidates,
    unhide_images as unhide_images,
)
from .client import (
    Client as Client,
    connect as connect,
)
from .decisions import (
    read_decisions as read_decisions,
    write_decisions as write_decisions,
)
from .demo import (
    DemoServer as DemoServer,
)
from .errors import (
    APIError as APIError,
    AuthenticationError as AuthenticationError,
    BackupError as BackupError,
    ConfirmationError as ConfirmationError,
    IncompleteLoadError as IncompleteLoadError,
    JournalError as JournalError,
    LockedError as LockedError,
    NotFoundError as NotFoundError,
    PermissionDeniedError as PermissionDeniedError,
    PicoraError as PicoraError,
    PlanError as PlanError,
    RateLimitError as RateLimitError,
    ResponseFormatError as ResponseFormatError,
    SchemaError as SchemaError,
    SnapshotError as SnapshotError,
    StatusError as StatusError,
    TransportError as TransportError,
    UnsafePlanError as UnsafePlanError,
)
from .library import (
    SnapshotStore as SnapshotStore,
    export_snapshots as export_snapshots,
    load_images as load_images,
)
from .pictures import (
    find_duplicates as find_duplicates,
    measure_savings as measure_savings,
    reconcile_usage as reconcile_usage,
)
from .references import (
    References as References,
    Repointing as Repointing,
    find_references as find_references,
    read_references as read_references,
    repoint as repoint,
)
from .report import (
    StorageReport as StorageReport,
)
from .widgets import (
    CleanupPanel as CleanupPanel,
    ImageGallery as ImageGallery,
)

__version__: str
