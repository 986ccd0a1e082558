"""Training on another machine: pack a run, collect its results there, take them over here."""
