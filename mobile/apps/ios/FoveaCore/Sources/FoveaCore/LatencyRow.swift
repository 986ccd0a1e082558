import Foundation

/// One latency measurement: the schema that the pipeline's `fovea compare` reads. Times in ms.
public struct LatencyRow: Encodable, Sendable, Equatable {
    public static let schema = 2

    public var artefactSHA256: String
    public var student: String
    public var recipe: String
    public var delegateAsked: String
    public var delegateObtained: String
    /// Nil where the runtime tells nothing of it.
    public var nodesDelegated: Int?
    public var nodesTotal: Int?
    public var device: String
    public var os: String
    public var runtime: String
    public var runtimeVersion: String
    /// (1, 3, H, W), whatever layout the file takes.
    public var inputShape: [Int]
    public var inputSHA256: String
    public var loadMs: Double
    public var firstRunMs: Double
    public var warmups: Int
    public var repeats: Int
    public var iterations: Int
    public var timeBounded: Bool
    public var statistics: Statistics
    /// Fingerprint of the device and its runtimes: no name of a person or a phone.
    public var host: String
    /// The system's own word: `nominal`, `fair`, `serious` or `critical`.
    public var thermalStatus: String

    public func encode(to encoder: any Encoder) throws {
        var row = encoder.container(keyedBy: Key.self)
        func put(_ name: String, _ value: (any Encodable)?) throws {
            // The reader wants every key: what is not known is null, not left out.
            if let value { try row.encode(value, forKey: Key(name)) } else { try row.encodeNil(forKey: Key(name)) }
        }
        try put("schema", Self.schema)
        try put("artefact_sha256", artefactSHA256)
        try put("student", student)
        try put("recipe", recipe)
        try put("delegate_asked", delegateAsked)
        try put("delegate_obtained", delegateObtained)
        try put("nodes_delegated", nodesDelegated)
        try put("nodes_total", nodesTotal)
        try put("partitions", nil)
        // The runtimes choose their threads themselves and tell nobody.
        try put("threads", 0)
        try put("affinity", nil)
        try put("device", device)
        try put("os", os)
        try put("runtime", runtime)
        try put("runtime_version", runtimeVersion)
        try put("clocks", "unreadable")
        try put("input_shape", inputShape)
        try put("input_sha256", inputSHA256)
        try put("load_ms", loadMs)
        try put("first_run_ms", firstRunMs)
        try put("warmups", warmups)
        try put("repeats", repeats)
        try put("iterations", iterations)
        try put("time_bounded", timeBounded)
        try put("p50_ms", statistics.p50)
        try put("p90_ms", statistics.p90)
        try put("p95_ms", statistics.p95)
        try put("p99_ms", statistics.p99)
        try put("mean_ms", statistics.mean)
        try put("cv", statistics.cv)
        try put("low_ms", statistics.low)
        try put("high_ms", statistics.high)
        try put("repeat_p50_ms", statistics.repeatP50)
        try put("spread", statistics.spread)
        try put("peak_memory_bytes", nil)
        try put("baseline_memory_bytes", nil)
        // iOS tells a state, never a temperature.
        try put("temperature_c", nil)
        try put("thermal_timed_out", nil)
        try put("host", host)
        try put("source", "device")
        try put("thermal_status", thermalStatus)
    }

    /// One JSON line, without a newline.
    public func line() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    private struct Key: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(_ name: String) { stringValue = name }
        init?(stringValue: String) { self.init(stringValue) }
        init?(intValue: Int) { nil }
    }
}
