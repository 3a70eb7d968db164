"""
Look at, understand and safely clean up a Picora image library with pandas and Jupyter.

Names are imported when first used (SPEC 1), so that the package itself loads in milliseconds; they are
listed in ``__init__.pyi``.

Examples
--------
>>> import picora_analytics as pic
"""

import lazy_loader as _lazy

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
