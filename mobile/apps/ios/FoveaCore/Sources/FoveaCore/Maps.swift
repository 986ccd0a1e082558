import Foundation

/// What an output says, in 0–1: computed in double precision, kept as float32.
public enum Maps {
    /// `output` (h, w), or (C, h, w) of class logits; the map has the same shape.
    public static func of(_ output: FloatArray, meaning: Meaning) -> FloatArray {
        switch meaning {
        case .logits:
            FloatArray(unchecked: output.shape, output.values.map { Float(1 / (1 + exp(-Double($0)))) })
        case .logDensity:
            peakAtOne(output)
        case .classLogits:
            shares(output)
        }
    }

    private static func peakAtOne(_ output: FloatArray) -> FloatArray {
        let peak = Double(output.values.max() ?? 0)
        return FloatArray(unchecked: output.shape, output.values.map { Float(exp(Double($0) - peak)) })
    }

    private static func shares(_ output: FloatArray) -> FloatArray {
        let classes = output.shape[0]
        let pixels = output.values.count / max(1, classes)
        var values = [Float](repeating: 0, count: output.values.count)
        for pixel in 0..<pixels {
            let logits = (0..<classes).map { Double(output.values[$0 * pixels + pixel]) }
            let peak = logits.max() ?? 0
            let raised = logits.map { exp($0 - peak) }
            let sum = raised.reduce(0, +)
            for index in 0..<classes { values[index * pixels + pixel] = Float(raised[index] / sum) }
        }
        return FloatArray(unchecked: output.shape, values)
    }
}
