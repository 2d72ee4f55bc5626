"""The schema's history, run by Alembic at start.

``HEAD`` is the revision this release works with, so that a store that has it already starts without loading Alembic.
"""

from pathlib import Path

HEAD = "0025"
FOLDER = Path(__file__).parent
