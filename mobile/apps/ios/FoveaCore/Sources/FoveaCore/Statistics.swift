/// Figures of timed iterations, in the repeats they were taken in.
public struct Statistics: Equatable, Sendable {
    public let p50: Double
    public let p90: Double
    public let p95: Double
    public let p99: Double
    public let mean: Double
    /// Standard deviation (by n) over mean.
    public let cv: Double
    /// Median of each repeat.
    public let repeatP50: [Double]
    /// (Largest − smallest repeat median) / median of all: drift between repeats.
    public let spread: Double
    /// Bootstrap 95 % interval of the median.
    public let low: Double
    public let high: Double

    /// Throws `FoveaError` for repeats without a sample.
    public init(samples: [[Double]]) throws {
        let all = samples.flatMap { $0 }
        guard !all.isEmpty, samples.allSatisfy({ !$0.isEmpty }) else {
            throw FoveaError("nothing was timed; run the benchmark again")
        }
        let sorted = all.sorted()
        p50 = Self.percentile(sorted, 0.5)
        p90 = Self.percentile(sorted, 0.9)
        p95 = Self.percentile(sorted, 0.95)
        p99 = Self.percentile(sorted, 0.99)
        let average = all.reduce(0, +) / Double(all.count)
        let variance = all.reduce(0) { $0 + ($1 - average) * ($1 - average) } / Double(all.count)
        mean = average
        cv = variance.squareRoot() / average
        repeatP50 = samples.map { Self.percentile($0.sorted(), 0.5) }
        spread = (repeatP50.max()! - repeatP50.min()!) / p50
        (low, high) = Self.medianInterval(sorted, median: p50)
    }

    /// Between order statistics, at rank q·(n − 1).
    public static func percentile(_ sorted: [Double], _ q: Double) -> Double {
        let rank = q * Double(sorted.count - 1)
        let below = Int(rank)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (sorted[above] - sorted[below]) * (rank - Double(below))
    }

    /// Percentiles of resampled medians. The generator has one seed, so that equal samples give
    /// equal intervals.
    private static func medianInterval(_ sorted: [Double], median: Double) -> (Double, Double) {
        var generator = SplitMix64(state: 0)
        let medians = (0..<1000).map { _ in
            let drawn = sorted.indices.map { _ in sorted[Int.random(in: sorted.indices, using: &generator)] }
            return percentile(drawn.sorted(), 0.5)
        }.sorted()
        return (min(percentile(medians, 0.025), median), max(percentile(medians, 0.975), median))
    }
}

/// A small generator with a seed; Swift's own has none.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
