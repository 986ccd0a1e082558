"""The report: one self-contained page that says how good, how fast and how large each file is."""
