"""The heavier architectures' own tables: rows trained alike, beside the papers' figures."""
