"""From photographs to a measured, exported student: data, labels, training, metrics, stages."""
