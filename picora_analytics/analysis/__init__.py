"""
Questions to a library: frame in, frame out; no I/O and no clock.

Its names are imported when first used, as the package's own are: the rules' names alone must not take pandas to load.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
