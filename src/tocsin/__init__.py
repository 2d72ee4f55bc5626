"""Tocsin delivers alerts at once, by push and for certain.

This package root holds the version and nothing else, so importing one module never loads the rest.
"""

__version__ = "0.1.0"
