"""
The whole library as one DataFrame: columns, loading, snapshots, refresh.

Its names are imported when first used: whoever wants the frame's columns alone needs no HTTP.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
