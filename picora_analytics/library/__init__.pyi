from .exporting import export_snapshots as export_snapshots
from .frame import COLUMNS as COLUMNS, Facts as Facts
from .load.loading import load_images as load_images
from .snapshots import SnapshotStore as SnapshotStore
