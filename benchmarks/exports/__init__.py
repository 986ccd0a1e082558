"""Every student by every export recipe: what comes out, what it costs, and why not where not."""
