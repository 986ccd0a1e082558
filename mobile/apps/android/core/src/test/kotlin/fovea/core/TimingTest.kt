package fovea.core

import fovea.core.testing.HostSurroundings
import fovea.core.time.Plan
import fovea.core.time.Stopped
import fovea.core.time.Thermal
import fovea.core.time.Times
import fovea.core.time.measure
import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith
import kotlin.test.assertNull
import kotlin.test.assertTrue

/** The protocol of measuring on a clock that is wound by hand. */
class TimingTest {
    private class Wound(var temperatures: List<Double?> = listOf(30.0), var ranks: List<Int> = listOf(0)) : HostSurroundings() {
        var now = 0L
        var slept = 0

        override fun nanos() = now

        override fun sleep(milliseconds: Long) {
            slept++
            now += milliseconds * 1_000_000
        }

        override fun temperature() = temperatures.first().also { if (temperatures.size > 1) temperatures = temperatures.drop(1) }

        override fun thermal() = Thermal(ranks.first(), "rank ${ranks.first()}").also { if (ranks.size > 1) ranks = ranks.drop(1) }
    }

    private fun engine(around: Wound, milliseconds: Long = 5) = FixedEngine {
        around.now += milliseconds * 1_000_000
        FloatArray(1)
    }

    @Test
    fun `first run and warm-ups are not among the samples`() {
        val around = Wound()
        val engine = engine(around)
        val (timing, facts) = measure(Plan(), around, FloatArray(1)) { engine.also { around.now += 7_000_000 } }
        assertEquals(7.0, timing.loadMs)
        assertEquals(5.0, timing.firstRunMs)
        assertEquals(listOf(20, 20, 20), timing.times.repeats.map { it.size })
        assertEquals(1 + 5 + 60, engine.runs)
        assertTrue(engine.closed && !timing.timeBounded)
        assertEquals("fixed", facts.runtime)
    }

    @Test
    fun `a slow repeat ends at its limit but not before five runs`() {
        val around = Wound()
        val (timing, _) = measure(Plan(repeatSeconds = 1.0), around, FloatArray(1)) { engine(around, 400) }
        assertEquals(listOf(5, 5, 5), timing.times.repeats.map { it.size })
        assertTrue(timing.timeBounded)
    }

    @Test
    fun `a repeat waits until it is cool and the hottest word is kept`() {
        val around = Wound(listOf(40.0, 39.0, 36.0, 36.5), listOf(0, 2, 1))
        val (timing, _) = measure(Plan(), around, FloatArray(1)) { engine(around) }
        assertEquals(2, around.slept)
        assertEquals(36.5, timing.temperatureC)
        assertEquals(false, timing.thermalTimedOut)
        assertEquals("rank 2", timing.thermalStatus)
    }

    @Test
    fun `waiting gives up and says so`() {
        val around = Wound(listOf(45.0))
        val (timing, _) = measure(Plan(coolSeconds = 3), around, FloatArray(1)) { engine(around) }
        assertEquals(true, timing.thermalTimedOut)
        assertEquals(45.0, timing.temperatureC)
    }

    @Test
    fun `no thermometer is no temperature`() {
        val around = Wound(listOf(null))
        val (timing, _) = measure(Plan(), around, FloatArray(1)) { engine(around) }
        assertNull(timing.temperatureC)
        assertNull(timing.thermalTimedOut)
    }

    @Test
    fun `stopping closes the engine`() {
        val around = Wound()
        val engine = engine(around)
        assertFailsWith<Stopped> { measure(Plan(), around, FloatArray(1), { engine.runs == 9 }) { engine } }
        assertEquals(9, engine.runs)
        assertTrue(engine.closed)
    }

    @Test
    fun `the median lies in its interval, which is the same each time`() {
        val times = Times(List(3) { repeat -> List(20) { 4.0 + ((it * 7 + repeat * 3) % 11) / 5.0 } })
        val (low, high) = times.medianInterval()
        assertTrue(low <= times.p50 && times.p50 <= high && low < high)
        assertEquals(low to high, times.medianInterval())
    }
}
