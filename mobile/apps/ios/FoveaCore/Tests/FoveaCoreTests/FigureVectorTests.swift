import Testing

@testable import FoveaCore

/// The figures an app computes: the lists `correlation` and `times`.
@Suite struct FigureVectorTests {
    struct CorrelationCase: Decodable, Sendable {
        let a: String, b: String
        let cc: Double?
        let maxAbs: Double

        enum CodingKeys: String, CodingKey {
            case a, b, cc
            case maxAbs = "max_abs"
        }
    }

    @Test(arguments: Vectors.cases("correlation", of: CorrelationCase.self))
    func correlation(_ each: CorrelationCase) throws {
        let (a, b) = (try Vectors.array(each.a).values, try Vectors.array(each.b).values)
        let obtained = Correlation.pearson(a, b)
        #expect((obtained == nil) == (each.cc == nil))
        if let expected = each.cc { #expect(abs(try #require(obtained) - expected) <= 1e-6) }
        #expect(abs(Correlation.maxAbs(a, b) - each.maxAbs) <= 1e-6)
    }

    struct TimesCase: Decodable, Sendable {
        let samples: [[Double]]
        let p50: Double, p90: Double, p95: Double, p99: Double
        let mean: Double, cv: Double, spread: Double
        let repeatP50: [Double]

        enum CodingKeys: String, CodingKey {
            case samples, p50, p90, p95, p99, mean, cv, spread
            case repeatP50 = "repeat_p50"
        }
    }

    @Test(arguments: Vectors.cases("times", of: TimesCase.self))
    func times(_ each: TimesCase) throws {
        let found = try Statistics(samples: each.samples)
        func near(_ a: Double, _ b: Double) -> Bool { abs(a - b) <= 1e-9 * max(1e-300, abs(b)) }
        #expect(near(found.p50, each.p50) && near(found.p90, each.p90))
        #expect(near(found.p95, each.p95) && near(found.p99, each.p99))
        #expect(near(found.mean, each.mean) && near(found.cv, each.cv))
        #expect(near(found.spread, each.spread))
        #expect(found.repeatP50.count == each.repeatP50.count)
        #expect(zip(found.repeatP50, each.repeatP50).allSatisfy(near))
        #expect(found.low <= found.p50 && found.p50 <= found.high)
    }

    @Test func theIntervalOfTheMedianNarrowsAndRepeats() throws {
        let few = try Statistics(samples: [[1, 5, 2, 4, 3]])
        let many = try Statistics(samples: [(0..<500).map { 1 + 4 * Double($0 * 7919 % 500) / 499 }])
        #expect(few.low < few.high)
        #expect(many.high - many.low < few.high - few.low)
        #expect(try few == Statistics(samples: [[1, 5, 2, 4, 3]]))
    }

    @Test(arguments: [[], [[]], [[1.0], []]]) func nothingTimedIsRefused(_ samples: [[Double]]) {
        #expect(throws: FoveaError.self) { try Statistics(samples: samples) }
    }

    /// The mean of equal values may be rounded, and then no deviation is exactly zero.
    @Test(arguments: [3, 10, 997, 1000]) func constantsHaveNoCorrelation(_ count: Int) {
        let ramp = (0..<count).map { Float($0) }
        for value: Float in [0.1, 0.7, 1 / 3] {
            let flat = [Float](repeating: value, count: count)
            #expect(Correlation.pearson(flat, ramp) == nil)
            #expect(Correlation.pearson(ramp, flat) == nil)
        }
    }

    @Test func aDifferenceThatIsNoNumberIsKept() {
        #expect(Correlation.maxAbs([1, .nan, 3], [1, 2, 9]).isNaN)
        #expect(Correlation.pearson([1, .nan], [1, 2]) == nil)
    }
}
