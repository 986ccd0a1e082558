"""Metrics of saliency maps, their intervals, and parity of exported models."""
