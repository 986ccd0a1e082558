import Foundation

/// Pictures (RGBA, not premultiplied) that lie over the photograph.
public enum Layers {
    /// Opacity of the lowest level of a map, and what the highest adds.
    private static let faint = 0.3
    private static let strong = 0.6
    private static let classAlpha: UInt8 = 158

    /// The colour of every level, as `colours.json` lists it.
    public static func colours(json data: Data) throws -> [[UInt8]] {
        guard let listed = try? JSONDecoder().decode([String].self, from: data), listed.count == 256 else {
            throw FoveaError("colours.json is not a list of 256 colours; build the app again")
        }
        return try listed.map(HexColour.rgb)
    }

    /// A map (h, w) between its own least and largest value, in `colours`.
    public static func heat(_ map: FloatArray, colours: [[UInt8]]) -> Picture {
        let least = Double(map.values.min() ?? 0)
        let span = Double(map.values.max() ?? 0) - least
        let palette: [[UInt8]] = (0..<256).map { level in
            colours[level] + [rounded(faint + strong * Double(level) / 255)]
        }
        var bytes = [UInt8](repeating: 0, count: 4 * map.values.count)
        for (pixel, value) in map.values.enumerated() {
            let level = span > 0 ? Int(rounded((Double(value) - least) / span)) : 0
            for channel in 0..<4 { bytes[4 * pixel + channel] = palette[level][channel] }
        }
        return Picture(unchecked: map.shape[1], map.shape[0], 4, bytes)
    }

    /// Class logits (C, h, w) in the classes' `colours`, and the share of each class that occurs,
    /// largest first; of equals the first class.
    public static func classes(_ output: FloatArray, colours: [[UInt8]]) -> (layer: Picture, shares: [ClassShare]) {
        let (count, h, w) = (output.shape[0], output.shape[1], output.shape[2])
        let pixels = h * w
        var winners = [Int](repeating: 0, count: pixels)
        output.values.withUnsafeBufferPointer { values in
            for index in 1..<max(1, count) {
                for pixel in 0..<pixels where values[index * pixels + pixel] > values[winners[pixel] * pixels + pixel] {
                    winners[pixel] = index
                }
            }
        }
        var bytes = [UInt8](repeating: classAlpha, count: 4 * pixels)
        var counts = [Int](repeating: 0, count: count)
        for (pixel, winner) in winners.enumerated() {
            counts[winner] += 1
            for channel in 0..<3 { bytes[4 * pixel + channel] = colours[winner][channel] }
        }
        let shares = counts.indices.filter { counts[$0] > 0 }
            .sorted { (counts[$1], $0) < (counts[$0], $1) }
            .map { ClassShare(index: $0, share: Double(counts[$0]) / Double(pixels)) }
        return (Picture(unchecked: w, h, 4, bytes), shares)
    }

    /// The photograph (RGB), as opaque as the sigmoid map (h, w) says.
    public static func cutout(_ photo: Picture, map: FloatArray) -> Picture {
        let fitted = Resize.triangle(map: map, height: photo.height, width: photo.width).values
        let count = photo.width * photo.height
        let bytes = [UInt8](unsafeUninitializedCapacity: 4 * count) { result, filled in
            photo.bytes.withUnsafeBufferPointer { source in
                for pixel in 0..<count {
                    let from = pixel * photo.channels
                    for channel in 0..<3 { result[4 * pixel + channel] = source[from + channel] }
                    result[4 * pixel + 3] = rounded(Double(fitted[pixel]))
                }
            }
            filled = 4 * count
        }
        return Picture(unchecked: photo.width, photo.height, 4, bytes)
    }

    /// ⌊255·v + ½⌋ of a value that belongs to 0–1; no number counts as 0.
    private static func rounded(_ value: Double) -> UInt8 {
        value.isNaN ? 0 : UInt8(max(0, min(255, (255 * value + 0.5).rounded(.down))))
    }
}

/// How much of a picture a class takes.
public struct ClassShare: Equatable, Sendable {
    public let index: Int
    public let share: Double

    public init(index: Int, share: Double) {
        self.index = index
        self.share = share
    }
}

/// A line of the legend.
public struct LegendEntry: Equatable, Sendable, Identifiable {
    public let id: Int
    public let name: String
    public let colour: [UInt8]
    /// `37 %`; less than half a per cent is said, not shown as none.
    public let share: String

    public static func entries(_ shares: [ClassShare], classes: [Manifest.ClassEntry]) throws -> [LegendEntry] {
        try shares.map { each in
            let percent = (100 * each.share).rounded()
            return LegendEntry(
                id: each.index, name: classes[each.index].name,
                colour: try HexColour.rgb(classes[each.index].colour),
                share: percent < 1 ? "< 1 %" : "\(Int(percent)) %")
        }
    }
}
