"""Lung nodules on chest CT: found, measured and scored for malignancy.

Research software: a second reader's draft, never a diagnosis.
"""

__version__ = "0.2.0"
