"""``tocsin drill``: the promise, proved on one's own deployment (docs/guides/drill.md)."""
