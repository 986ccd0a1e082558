import Foundation

/// The one named resize, as `input.resize.definition` of every manifest states it.
public enum Resize {
    public static let name = "triangle"

    /// The input pixels that each output pixel of an axis averages, in one row for speed.
    struct Taps {
        private(set) var firsts: [Int] = []
        /// Where an output pixel's weights start; the last entry is where all end.
        private(set) var starts: [Int] = [0]
        private(set) var weights: [Float] = []

        /// A triangle of half-width max(1, n / m) around each centre, in double precision over the
        /// pixels that exist, divided by its sum, then rounded.
        init(from size: Int, to target: Int) {
            let scale = Double(size) / Double(target)
            let support = max(1, scale)
            for index in 0..<target {
                let centre = (Double(index) + 0.5) * scale
                let first = max(0, Int((centre - support - 0.5).rounded(.down)))
                let last = min(size - 1, Int((centre + support - 0.5).rounded(.up)))
                let raw = (first...last).map { max(0, 1 - abs(Double($0) + 0.5 - centre) / support) }
                let sum = raw.reduce(0, +)
                firsts.append(first)
                weights += raw.map { Float($0 / sum) }
                starts.append(weights.count)
            }
        }
    }

    /// RGB (height, width, 3), float32, not rounded.
    public static func triangle(_ view: PixelView, height: Int, width: Int) -> FloatArray {
        resized(
            view.base, from: (view.height, view.width), rowStride: view.rowBytes, pixel: view.pixelBytes,
            order: view.order, to: (height, width))
    }

    public static func triangle(_ picture: Picture, height: Int, width: Int) -> FloatArray {
        picture.bytes.withUnsafeBufferPointer { bytes in
            // A picture has at least one pixel, so there is a base address.
            triangle(
                PixelView(
                    base: bytes.baseAddress!, width: picture.width, height: picture.height,
                    rowBytes: picture.width * picture.channels, pixelBytes: picture.channels,
                    order: [0, 1, 2]),
                height: height, width: width)
        }
    }

    /// A map (h, w) at another size.
    public static func triangle(map: FloatArray, height: Int, width: Int) -> FloatArray {
        let (h, w) = (map.shape[0], map.shape[1])
        let values = map.values.withUnsafeBufferPointer {
            resized($0.baseAddress!, from: (h, w), rowStride: w, pixel: 1, order: [0], to: (height, width)).values
        }
        return FloatArray(unchecked: [height, width], values)
    }

    /// Rows first, then columns, one output row after the other: a row of sums stays in the cache.
    private static func resized<Value: Sample>(
        _ base: UnsafePointer<Value>, from size: (height: Int, width: Int), rowStride: Int, pixel: Int,
        order: [Int], to target: (height: Int, width: Int)
    ) -> FloatArray {
        let vertical = Taps(from: size.height, to: target.height)
        let horizontal = Taps(from: size.width, to: target.width)
        let count = size.width * pixel
        let line = target.width * order.count
        let values = [Float](unsafeUninitializedCapacity: target.height * line) { result, filled in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: count) { sums in
                for y in 0..<target.height {
                    sums.initialize(repeating: 0)
                    let taps = vertical.starts[y]..<vertical.starts[y + 1]
                    for (offset, at) in taps.enumerated() where vertical.weights[at] != 0 {
                        add(
                            base + (vertical.firsts[y] + offset) * rowStride, vertical.weights[at],
                            to: sums.baseAddress!, count: count)
                    }
                    shrink(
                        sums.baseAddress!, horizontal, pixel: pixel, order: order, into: result.baseAddress! + y * line)
                }
            }
            filled = target.height * line
        }
        return FloatArray(unchecked: [target.height, target.width, order.count], values)
    }

    /// A loop plain enough for the compiler to turn into vector instructions.
    private static func add<Value: Sample>(
        _ source: UnsafePointer<Value>, _ weight: Float, to sums: UnsafeMutablePointer<Float>, count: Int
    ) {
        for i in 0..<count { sums[i] += weight * source[i].float }
    }

    private static func shrink(
        _ sums: UnsafePointer<Float>, _ taps: Taps, pixel: Int, order: [Int], into row: UnsafeMutablePointer<Float>
    ) {
        let channels = order.count
        taps.weights.withUnsafeBufferPointer { weights in
            for (x, first) in taps.firsts.enumerated() {
                for channel in 0..<channels {
                    var sum: Float = 0
                    var at = first * pixel + order[channel]
                    for index in taps.starts[x]..<taps.starts[x + 1] {
                        sum += weights[index] * sums[at]
                        at += pixel
                    }
                    row[x * channels + channel] = sum
                }
            }
        }
    }
}

/// What a resize can read.
protocol Sample {
    var float: Float { get }
}

extension UInt8: Sample {
    var float: Float { Float(self) }
}

extension Float: Sample {
    var float: Float { self }
}
