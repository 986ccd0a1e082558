import Foundation

/// SHA-256 (FIPS 180-4) for systems without CryptoKit.
struct PortableSHA256 {
    private var state: [UInt32]
    private var pending: [UInt8] = []
    private var length: UInt64 = 0

    // First 32 bits of the fractional parts of cube and square roots of the first primes.
    private static let primes: [UInt32] = {
        var found: [UInt32] = []
        var candidate: UInt32 = 2
        while found.count < 64 {
            if !found.contains(where: { candidate % $0 == 0 }) { found.append(candidate) }
            candidate += 1
        }
        return found
    }()
    private static let rounds = primes.map { root($0, degree: 3) }
    private static let initial = primes.prefix(8).map { root($0, degree: 2) }

    init() {
        state = Self.initial
    }

    mutating func update(_ data: Data) {
        length += UInt64(data.count)
        pending.append(contentsOf: data)
        let whole = pending.count / 64 * 64
        pending.withUnsafeBufferPointer { bytes in
            for start in stride(from: 0, to: whole, by: 64) {
                Self.mix(bytes, start, &state)
            }
        }
        pending.removeFirst(whole)
    }

    mutating func finish() -> [UInt8] {
        let bits = length * 8
        var tail: [UInt8] = [0x80]
        tail += [UInt8](repeating: 0, count: (119 - Int(length % 64)) % 64)
        tail += (0..<8).map { UInt8(truncatingIfNeeded: bits >> UInt64(56 - 8 * $0)) }
        update(Data(tail))
        return state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) } }
    }

    private static func mix(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ state: inout [UInt32]) {
        withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
            for i in 0..<16 {
                let at = start + 4 * i
                w[i] =
                    UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16
                    | UInt32(bytes[at + 2]) << 8 | UInt32(bytes[at + 3])
            }
            for i in 16..<64 {
                let low = turned(w[i - 15], 7) ^ turned(w[i - 15], 18) ^ (w[i - 15] >> 3)
                let high = turned(w[i - 2], 17) ^ turned(w[i - 2], 19) ^ (w[i - 2] >> 10)
                w[i] = w[i - 16] &+ low &+ w[i - 7] &+ high
            }
            var (a, b, c, d) = (state[0], state[1], state[2], state[3])
            var (e, f, g, h) = (state[4], state[5], state[6], state[7])
            for i in 0..<64 {
                let upper = turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)
                let first = h &+ upper &+ ((e & f) ^ (~e & g)) &+ rounds[i] &+ w[i]
                let lower = turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)
                let second = lower &+ ((a & b) ^ (a & c) ^ (b & c))
                (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
            }
            for (i, value) in [a, b, c, d, e, f, g, h].enumerated() { state[i] = state[i] &+ value }
        }
    }

    private static func turned(_ value: UInt32, _ by: UInt32) -> UInt32 {
        value >> by | value << (32 - by)
    }

    /// Bits of the fraction of a root, by bisection in whole numbers: no rounding to trust.
    private static func root(_ prime: UInt32, degree: Int) -> UInt32 {
        // The largest r with r^degree <= prime * 2^(32 * degree); its low 32 bits are the fraction.
        var low: UInt64 = 0
        var high: UInt64 = 1 << 37
        while high - low > 1 {
            let middle = (low + high) / 2
            if power(middle, degree, atMost: UInt64(prime)) { low = middle } else { high = middle }
        }
        return UInt32(truncatingIfNeeded: low)
    }

    /// Whether (r / 2^32)^degree <= prime, exactly.
    private static func power(_ r: UInt64, _ degree: Int, atMost prime: UInt64) -> Bool {
        let square = r.multipliedFullWidth(by: r)
        if degree == 2 { return (square.high, square.low) <= (prime, 0) }
        // r^3 as three words, against prime * 2^96.
        let low = square.low.multipliedFullWidth(by: r)
        let high = square.high.multipliedFullWidth(by: r)
        let (middle, carried) = high.low.addingReportingOverflow(low.high)
        let top = high.high + (carried ? 1 : 0)
        return (top, middle, low.low) <= (prime >> 32, prime << 32, 0)
    }
}
