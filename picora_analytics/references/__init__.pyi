from .found import References as References, read_references as read_references
from .repoint import Repointing as Repointing, repoint as repoint
from .search import find_references as find_references
