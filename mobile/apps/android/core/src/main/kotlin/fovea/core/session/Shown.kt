package fovea.core.session

import fovea.core.image.Pixels
import fovea.core.run.Engine
import fovea.core.run.Predictor

/** What the stage shows: a photograph with its layer, or what was cut out of it. */
class Shown(val photo: Pixels, val layer: Pixels?, val cutOut: Pixels?, val smooth: Boolean)

/** A file that runs, and the way of a photograph through it. */
internal class Loaded(val engine: Engine, val predictor: Predictor)
