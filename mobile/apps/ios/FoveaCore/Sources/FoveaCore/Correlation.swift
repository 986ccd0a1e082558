/// How alike two arrays are.
public enum Correlation {
    /// Pearson's coefficient; nil where one of them is constant, or holds what is no number.
    public static func pearson(_ a: [Float], _ b: [Float]) -> Double? {
        let n = Double(a.count)
        guard a.count == b.count, n > 0 else { return nil }
        let meanA = a.reduce(0) { $0 + Double($1) } / n
        let meanB = b.reduce(0) { $0 + Double($1) } / n
        var (both, squaresA, squaresB) = (0.0, 0.0, 0.0)
        for (x, y) in zip(a, b) {
            let (dx, dy) = (Double(x) - meanA, Double(y) - meanB)
            both += dx * dy
            squaresA += dx * dx
            squaresB += dy * dy
        }
        guard !isConstant(a), !isConstant(b) else { return nil }
        let found = both / (squaresA * squaresB).squareRoot()
        return found.isFinite ? found : nil
    }

    public static func maxAbs(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { largest, pair in
            let difference = abs(Double(pair.0) - Double(pair.1))
            // max() would forget a difference that is no number.
            return difference > largest || difference.isNaN ? difference : largest
        }
    }

    /// By the values themselves: a sum of squares may round to something above zero.
    public static func isConstant(_ values: [Float]) -> Bool {
        values.allSatisfy { $0 == values[0] }
    }
}
