"""Widget labels in two languages: ``MTL_LANG=zh`` shows Chinese, anything else English.

``labels.json`` holds English label -> Chinese label. A widget's JavaScript writes a label as ``t("Switch off")``, one
with values as ``t("level {level}", { level: 2 })``; in Python it is ``label("level {level}", level=2)``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

CHINESE: dict[str, str] = json.loads((Path(__file__).parent / "labels.json").read_text(encoding="utf-8"))


def chosen_words() -> dict[str, str]:
    """Gives English label -> label in the language chosen; empty for English.

    Returns:
        What a widget sends to its JavaScript as ``data["words"]``.

    Raises:
        ValueError: If ``MTL_LANG`` is neither ``en`` nor ``zh``.

    Example:
        >>> chosen_words()
        {}
    """
    language = os.environ.get("MTL_LANG", "") or "en"
    if language not in ("en", "zh"):
        raise ValueError(f"MTL_LANG={language!r} is not a language of the course; set it to 'en' or 'zh'.")
    return CHINESE if language == "zh" else {}


def label(text: str, **values: object) -> str:
    """Gives a label in the language chosen.

    Args:
        text: The English label, as ``labels.json`` has it.
        **values: What stands for the names in braces.

    Returns:
        The label; English where there is no other.

    Example:
        >>> label("level {level}", level=2)
        'level 2'
    """
    return chosen_words().get(text, text).format(**values) if values else chosen_words().get(text, text)
