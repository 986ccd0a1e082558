package fovea.core.time

import fovea.core.bundle.Artefact
import fovea.core.bundle.Manifest
import fovea.core.bundle.digest
import fovea.core.values.Planes
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import java.nio.ByteBuffer
import java.nio.ByteOrder

private const val SCHEMA = 2
private const val FINGERPRINT_DIGITS = 16

/** The device a row comes from, without naming it or its owner. */
class Place(
    val device: String,
    val os: String,
    val build: String,
    val clocks: String,
    /** Runtimes of the app with their versions. */
    val runtimes: List<String>,
    val emulator: Boolean,
)

/** One JSON line of the latency schema (`mobile/latency_row.py`), which `fovea compare` reads. */
fun latencyLine(
    manifest: Manifest,
    artefact: Artefact,
    input: Planes,
    threads: Int,
    plan: Plan,
    measured: Pair<Timing, EngineFacts>,
    place: Place,
): String {
    val (timing, engine) = measured
    val times = timing.times
    val (low, high) = times.medianInterval()
    val delegation = artefact.delegation
    val fields = sortedMapOf<String, JsonElement>(
        "schema" to JsonPrimitive(SCHEMA),
        "artefact_sha256" to JsonPrimitive(artefact.sha256),
        "student" to JsonPrimitive(manifest.student),
        "recipe" to JsonPrimitive(artefact.recipe),
        "delegate_asked" to JsonPrimitive(delegation?.delegate ?: "none"),
        "delegate_obtained" to JsonPrimitive(engine.delegate),
        "nodes_delegated" to JsonPrimitive(delegation?.delegated),
        "nodes_total" to JsonPrimitive(delegation?.total),
        "partitions" to JsonPrimitive(delegation?.partitions),
        "threads" to JsonPrimitive(threads),
        "affinity" to JsonNull,
        "device" to JsonPrimitive(place.device),
        "os" to JsonPrimitive(place.os),
        "runtime" to JsonPrimitive(engine.runtime),
        "runtime_version" to JsonPrimitive(engine.runtimeVersion),
        "clocks" to JsonPrimitive(place.clocks),
        "input_shape" to list(listOf(1, input.channels, input.height, input.width)),
        "input_sha256" to JsonPrimitive(inputHash(input)),
        "load_ms" to JsonPrimitive(timing.loadMs),
        "first_run_ms" to JsonPrimitive(timing.firstRunMs),
        "warmups" to JsonPrimitive(plan.warmups),
        "repeats" to JsonPrimitive(times.repeats.size),
        "iterations" to JsonPrimitive(times.repeats.minOf { it.size }),
        "time_bounded" to JsonPrimitive(timing.timeBounded),
        "p50_ms" to JsonPrimitive(times.p50),
        "p90_ms" to JsonPrimitive(times.p90),
        "p95_ms" to JsonPrimitive(times.p95),
        "p99_ms" to JsonPrimitive(times.p99),
        "mean_ms" to JsonPrimitive(times.mean),
        "cv" to JsonPrimitive(times.cv),
        "low_ms" to JsonPrimitive(low),
        "high_ms" to JsonPrimitive(high),
        "repeat_p50_ms" to list(times.repeatP50),
        "spread" to JsonPrimitive(times.spread),
        // Both would need a process that does nothing but load and run the file.
        "peak_memory_bytes" to JsonNull,
        "baseline_memory_bytes" to JsonNull,
        "temperature_c" to JsonPrimitive(timing.temperatureC),
        "thermal_timed_out" to JsonPrimitive(timing.thermalTimedOut),
        "host" to JsonPrimitive(fingerprint(place)),
        "source" to JsonPrimitive(if (place.emulator) "emulator" else "device"),
        "thermal_status" to JsonPrimitive(timing.thermalStatus),
    )
    return JsonObject(fields).toString()
}

private fun list(values: List<Number>) = JsonArray(values.map { JsonPrimitive(it) })

/** SHA-256 of the float32 bytes of the input in the order of planes, whatever layout the file takes. */
private fun inputHash(input: Planes): String {
    val bytes = ByteBuffer.allocate(input.data.size * Float.SIZE_BYTES).order(ByteOrder.LITTLE_ENDIAN)
    bytes.asFloatBuffer().put(input.data)
    return digest(bytes.array().inputStream()).first
}

/** Equal where milliseconds may be compared: same device, system, clocks and runtimes. */
private fun fingerprint(place: Place): String {
    val facts = listOf(place.device, place.os, place.build, place.clocks) + place.runtimes
    return digest(facts.joinToString("\n").byteInputStream()).first.take(FINGERPRINT_DIGITS)
}
