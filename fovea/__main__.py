"""`python -m fovea` is the `fovea` command."""

from fovea.cli import main

if __name__ == "__main__":
    main()
