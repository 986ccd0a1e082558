"""What the pipeline and the apps agree on: bundles, layers, and vectors that prove them."""
