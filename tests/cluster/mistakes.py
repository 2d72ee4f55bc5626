"""Mistakes on purpose: each breaks the promise in one way, so that the test bed is seen to notice."""
