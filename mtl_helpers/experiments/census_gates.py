"""Records what MMoE's gates do on Census-Income: ``python -m mtl_helpers.experiments.census_gates``."""

from __future__ import annotations

import json

from mtl_helpers.datasets import census_income
from mtl_helpers.models import mmoe
from mtl_helpers.recording import record
from mtl_helpers.study import study

NAME = "census_gates"
SETTINGS = {"rows": 40_000, "seeds": 8, "epochs": 12, "batch_size": 512, "experts": 8, "expert_units": [16]}


def main() -> None:
    """Trains, switches every expert off once, and writes the record."""
    found = study(
        {"MMoE": mmoe},
        census_income(rows=40_000),
        seeds=8,
        epochs=12,
        batch_size=512,
        ablate=True,
    )
    results = json.loads(found.gates["MMoE"].to_json())
    print(record(NAME, f"python -m mtl_helpers.experiments.{NAME}", results, SETTINGS))


if __name__ == "__main__":
    main()
