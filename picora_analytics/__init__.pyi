# The public names, each with its home; __init__.py imports them when they are first used.

from .analysis import (
    rules as rules,
)
from .analysis import (
    summarize_ages as summarize_ages,
)
from .analysis import (
    summarize_concentration as summarize_concentration,
)
from .analysis import (
    summarize_dimensions as summarize_dimensions,
)
from .analysis import (
    summarize_formats as summarize_formats,
)
from .analysis import (
    summarize_growth as summarize_growth,
)
from .analysis import (
    summarize_largest as summarize_largest,
)
from .analysis import (
    summarize_library as summarize_library,
)
from .analysis import (
    summarize_sizes as summarize_sizes,
)
from .analysis import (
    summarize_tags as summarize_tags,
)
from .analysis import (
    summarize_visibility as summarize_visibility,
)
from .charts import (
    plot_ages as plot_ages,
)
from .charts import (
    plot_concentration as plot_concentration,
)
from .charts import (
    plot_dimensions as plot_dimensions,
)
from .charts import (
    plot_formats as plot_formats,
)
from .charts import (
    plot_growth as plot_growth,
)
from .charts import (
    plot_largest as plot_largest,
)
from .charts import (
    plot_overview as plot_overview,
)
from .charts import (
    plot_sizes as plot_sizes,
)
from .charts import (
    plot_tags as plot_tags,
)
from .charts import (
    plot_visibility as plot_visibility,
)
from .cleanup import (
    DeletionPlan as DeletionPlan,
)
from .cleanup import (
    DeletionReceipt as DeletionReceipt,
)
from .cleanup import (
    plan_deletion as plan_deletion,
)
from .cleanup import (
    read_plan as read_plan,
)
from .client import (
    Client as Client,
)
from .client import (
    connect as connect,
)
from .demo import (
    DemoServer as DemoServer,
)
from .errors import (
    APIError as APIError,
)
from .errors import (
    AuthenticationError as AuthenticationError,
)
from .errors import (
    BackupError as BackupError,
)
from .errors import (
    ConfirmationError as ConfirmationError,
)
from .errors import (
    IncompleteLoadError as IncompleteLoadError,
)
from .errors import (
    JournalError as JournalError,
)
from .errors import (
    LockedError as LockedError,
)
from .errors import (
    NotFoundError as NotFoundError,
)
from .errors import (
    PermissionDeniedError as PermissionDeniedError,
)
from .errors import (
    PicoraError as PicoraError,
)
from .errors import (
    PlanError as PlanError,
)
from .errors import (
    RateLimitError as RateLimitError,
)
from .errors import (
    ResponseFormatError as ResponseFormatError,
)
from .errors import (
    SchemaError as SchemaError,
)
from .errors import (
    SnapshotError as SnapshotError,
)
from .errors import (
    StatusError as StatusError,
)
from .errors import (
    TransportError as TransportError,
)
from .errors import (
    UnsafePlanError as UnsafePlanError,
)
from .library import (
    SnapshotStore as SnapshotStore,
)
from .library import (
    load_images as load_images,
)

__version__: str
