package fovea.core

import fovea.core.layer.LegendEntry
import fovea.core.run.StageTimes
import fovea.core.ui.BundleFacts
import fovea.core.ui.CAMERA_REFUSED
import fovea.core.ui.Camera
import fovea.core.ui.CheckLine
import fovea.core.ui.Event
import fovea.core.ui.Look
import fovea.core.ui.MeasuredLine
import fovea.core.ui.RecipeFacts
import fovea.core.ui.Screen
import fovea.core.ui.State
import fovea.core.ui.checkSummary
import fovea.core.ui.legendText
import fovea.core.ui.reduce
import fovea.core.ui.timesText
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFalse
import kotlin.test.assertNull
import kotlin.test.assertTrue

class ReducerTest {
    private val saliency = facts("a", cutOut = false)
    private val objects = facts("b", cutOut = true)
    private val predicted = Event.Predicted(StageTimes(1.0, 10.0, 1.5), listOf(LegendEntry(0, "sky", 1, 1.0)))

    private fun facts(name: String, cutOut: Boolean) =
        BundleFacts(name, "task", "source", "4 x 3", listOf(RecipeFacts("r", "fp32", "litert", 1)), cutOut, 2)

    private fun after(vararg events: Event): State = events.fold(State(), ::reduce)

    private val running = arrayOf(Event.BundleOpened(objects), Event.EngineReady("r", emptyList()), predicted)

    @Test
    fun `an opened bundle with its engine is ready`() {
        assertFalse(after(Event.BundleOpened(saliency)).ready)
        assertTrue(after(Event.BundleOpened(saliency), Event.EngineReady("r", emptyList())).ready)
        assertFalse(after(*running, Event.Began("x")).ready)
        assertTrue(after(*running, Event.Began("x"), Event.Ended).ready)
    }

    @Test
    fun `another bundle takes nothing of the last with it`() {
        val state = after(*running, Event.Checked(CheckLine("r", "g", true, "")), Event.BundleOpened(saliency))
        assertEquals(State(bundle = saliency), state)
    }

    @Test
    fun `a refused bundle leaves none open and says why`() {
        val state = after(*running, Event.BundleRefused("a: hash"))
        assertNull(state.bundle)
        assertNull(state.recipe)
        assertFalse(state.hasPicture)
        assertEquals(listOf("a: hash" to true), state.notices.map { it.text to it.problem })
    }

    @Test
    fun `a cut-out is only for bundles that can`() {
        assertEquals(Look.CUT_OUT, after(*running, Event.LookChosen(Look.CUT_OUT)).look)
        assertEquals(Look.LAYER, after(Event.BundleOpened(saliency), Event.LookChosen(Look.CUT_OUT)).look)
        assertEquals(Look.LAYER, after(*running, Event.LookChosen(Look.CUT_OUT), Event.BundleOpened(saliency)).look)
    }

    @Test
    fun `opacity stays a percentage`() {
        assertEquals(100, after(Event.OpacityChosen(250)).opacityPercent)
        assertEquals(0, after(Event.OpacityChosen(-1)).opacityPercent)
        assertEquals(35, after(Event.OpacityChosen(35)).opacityPercent)
    }

    @Test
    fun `photo and camera do not show each other's picture`() {
        val state = after(*running, Event.ScreenChosen(Screen.CAMERA))
        assertFalse(state.hasPicture)
        assertTrue(state.legend.isEmpty() && state.times == null)
        assertTrue(after(*running, Event.ScreenChosen(Screen.CHECK)).hasPicture)
    }

    @Test
    fun `a late prediction without an engine is dropped`() {
        assertFalse(after(Event.BundleOpened(saliency), predicted).hasPicture)
    }

    @Test
    fun `an engine that fails takes the picture away`() {
        val state = after(*running, Event.EngineFailed("no file loads"))
        assertNull(state.recipe)
        assertFalse(state.hasPicture)
        assertTrue(state.idle)
    }

    @Test
    fun `a refused camera is said once and photographs still work`() {
        val refused = Event.CameraChanged(Camera.REFUSED, CAMERA_REFUSED)
        val state = after(*running, refused, refused)
        assertEquals(Camera.REFUSED, state.camera)
        assertEquals(1, state.notices.size)
        assertTrue(state.ready)
        assertTrue(reduce(state, Event.NoticesRead).notices.isEmpty())
    }

    @Test
    fun `checks and rows gather anew`() {
        val line = CheckLine("r", "g", false, "far")
        val state = after(*running, Event.CheckBegan, Event.Checked(line), Event.Checked(line.copy(passed = true)), Event.Ended)
        assertEquals("1 of 2 fail.", checkSummary(state.checks))
        assertNull(checkSummary(reduce(state, Event.CheckBegan).checks))
        assertEquals("1 of 1 fail.", checkSummary(listOf(line.copy(passed = null))))
        val row = MeasuredLine("r", "1 ms", "{}")
        assertEquals(listOf(row), after(Event.BenchmarkBegan, Event.Measured(row)).measured)
        assertTrue(after(Event.Measured(row), Event.BenchmarkBegan).measured.isEmpty())
    }

    @Test
    fun `texts say figures`() {
        assertEquals("10.0 ms model + 2.5 ms around it (25 %)", timesText(StageTimes(1.0, 10.0, 1.5)))
        assertEquals("sky 41 %", legendText(LegendEntry(0, "sky", 0, 0.411)))
        assertEquals("sky < 1 %", legendText(LegendEntry(0, "sky", 0, 0.004)))
    }
}
