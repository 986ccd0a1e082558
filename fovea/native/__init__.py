"""ExecuTorch programs without PyTorch: a small C++ runner, built once per user where it can be."""
