"""The catalog of procedures: one TOML a block or injection, each number with its source and evidence tag.

The files are data for a clinician to review. Read strictly: what is missing, misspelled or without a source is named.
"""

from insonate.guidance.procedures.catalog import check, procedure, procedures

__all__ = ["check", "procedure", "procedures"]
