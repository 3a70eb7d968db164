"""
From a choice of images to a plan, and what it would do.

Its names are imported when first used: whoever wants the piles alone needs no HTTP.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
