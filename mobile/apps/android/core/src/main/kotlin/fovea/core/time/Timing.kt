package fovea.core.time

import fovea.core.run.Engine
import fovea.core.run.millis

/** How long to measure; the defaults are Fovea's own, the smallest that a published row may use. */
class Plan(
    val warmups: Int = 5,
    val repeats: Int = 3,
    val iterations: Int = 20,
    /** A repeat stops here, but never before [leastIterations]. */
    val repeatSeconds: Double = 30.0,
    val leastIterations: Int = 5,
    /** A repeat starts only below this temperature, where one can be read … */
    val coolBelowC: Double = 37.0,
    /** … or after waiting this long. */
    val coolSeconds: Int = 60,
)

/** What surrounds a measurement: a clock and a thermometer. */
interface Surroundings {
    fun nanos(): Long

    fun sleep(milliseconds: Long)

    /** Degrees Celsius, or null where none is told. */
    fun temperature(): Double?

    /** The system's own word for how hot it is and its rank, or null where it has none. */
    fun thermal(): Thermal?
}

data class Thermal(val rank: Int, val word: String)

/** Raw figures of one file. */
class Timing(
    val loadMs: Double,
    val firstRunMs: Double,
    val times: Times,
    val timeBounded: Boolean,
    val temperatureC: Double?,
    val thermalTimedOut: Boolean?,
    val thermalStatus: String?,
)

/** The user stopped a measurement. */
class Stopped : Exception()

/**
 * Times [load] and what it loads on [input], by the protocol of `mobile/timing.py`; closes the engine.
 * Throws [Stopped] soon after [stopped] says so.
 */
fun measure(
    plan: Plan,
    around: Surroundings,
    input: FloatArray,
    stopped: () -> Boolean = { false },
    load: () -> Engine,
): Pair<Timing, EngineFacts> {
    val started = around.nanos()
    load().use { engine ->
        val loadMs = millis(around.nanos() - started)
        val run = {
            if (stopped()) throw Stopped()
            val before = around.nanos()
            engine.run(input)
            millis(around.nanos() - before)
        }
        val firstMs = run()
        repeat(plan.warmups) { run() }
        val samples = mutableListOf<List<Double>>()
        val readings = mutableListOf<Double>()
        val thermals = mutableListOf<Thermal>()
        var gaveUp = false
        repeat(plan.repeats) {
            gaveUp = !cooled(plan, around, readings, stopped) || gaveUp
            samples += repeated(plan, around, run)
            around.thermal()?.let(thermals::add)
        }
        val timing = Timing(
            loadMs,
            firstMs,
            Times(samples),
            samples.any { it.size < plan.iterations },
            readings.maxOrNull(),
            if (readings.isEmpty()) null else gaveUp,
            thermals.maxByOrNull { it.rank }?.word,
        )
        return timing to EngineFacts(engine.runtime, engine.runtimeVersion, engine.delegate)
    }
}

class EngineFacts(val runtime: String, val runtimeVersion: String, val delegate: String)

private fun repeated(plan: Plan, around: Surroundings, run: () -> Double): List<Double> {
    val limit = around.nanos() + (plan.repeatSeconds * 1e9).toLong()
    val taken = mutableListOf<Double>()
    while (taken.size < plan.iterations) {
        taken += run()
        if (taken.size >= plan.leastIterations && around.nanos() > limit) break
    }
    return taken
}

/** Waits until it is cool enough and notes the reading; false where waiting gave up. */
private fun cooled(
    plan: Plan,
    around: Surroundings,
    readings: MutableList<Double>,
    stopped: () -> Boolean,
): Boolean {
    val limit = around.nanos() + plan.coolSeconds * 1_000_000_000L
    while (true) {
        val reading = around.temperature() ?: return true
        val cool = reading <= plan.coolBelowC
        if (cool || around.nanos() >= limit) {
            readings += reading
            return cool
        }
        if (stopped()) throw Stopped()
        around.sleep(1000)
    }
}
