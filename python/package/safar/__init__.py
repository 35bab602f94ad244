"""Safar: who gets the credit. Weighted paths in, credits out.

>>> import safar
>>> paths = safar.read_paths(b"path;conversions;value\\nAds > Mail;2;50\\nMail;1;10\\n")
>>> safar.attribute(paths, "linear").credits["Mail"].conversions
2.0
"""

from ._safar import (
    Attribution,
    Credit,
    CreditEstimates,
    Diagnostics,
    Estimate,
    MarkovDiagnostics,
    ModelInfo,
    Paths,
    PresetInfo,
    Ranks,
    Report,
    Resamples,
    SettingInfo,
    __version__,
    attribute,
    bootstrap,
    models,
    presets,
    read_paths,
    transform,
)

__all__ = [
    "Attribution",
    "Credit",
    "CreditEstimates",
    "Diagnostics",
    "Estimate",
    "MarkovDiagnostics",
    "ModelInfo",
    "Paths",
    "PresetInfo",
    "Ranks",
    "Report",
    "Resamples",
    "SettingInfo",
    "__version__",
    "attribute",
    "bootstrap",
    "models",
    "presets",
    "read_paths",
    "transform",
]
