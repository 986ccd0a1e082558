"""Files for the public saliency benchmarks: which maps they want, under which names, in what form.

Nothing here uploads anything.
"""
