package fovea.core.ui

import fovea.core.layer.LegendEntry
import fovea.core.run.StageTimes

/** Everything that happens to the app; [reduce] says what becomes of the state. */
sealed interface Event {
    data class BundlesFound(val names: List<String>) : Event

    /** Something takes a while: [text] says what. */
    data class Began(val text: String) : Event

    data class BundleOpened(val facts: BundleFacts) : Event

    data class BundleRefused(val message: String) : Event

    data class EngineReady(val recipe: String, val notices: List<String>) : Event

    data class EngineFailed(val message: String) : Event

    data class ScreenChosen(val screen: Screen) : Event

    data class OpacityChosen(val percent: Int) : Event

    data class LookChosen(val look: Look) : Event

    data class Predicted(val times: StageTimes, val legend: List<LegendEntry>) : Event

    /** A photograph was read smaller than it is, or another thing to know. */
    data class Told(val text: String) : Event

    data class Failed(val message: String) : Event

    data class CameraChanged(val camera: Camera, val message: String? = null) : Event

    data object CheckBegan : Event

    data class Checked(val line: CheckLine) : Event

    data object BenchmarkBegan : Event

    data class Measured(val line: MeasuredLine) : Event

    /** Whatever began has ended. */
    data object Ended : Event

    data object NoticesRead : Event
}
