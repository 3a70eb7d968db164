"""
Is it still used: find image ids in a person's own files, pages and history, and replace them there.

Its names are imported when first used: what was found can be read without HTTP.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
