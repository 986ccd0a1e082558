/// What a person may look at.
public enum LayerKind: String, Sendable, CaseIterable, Identifiable {
    case heat, classes, cutout

    public var id: String { rawValue }

    /// Ways to show a bundle's output, the usual one first.
    public static func available(for bundle: ModelBundle) -> [LayerKind] {
        if bundle.meaning == .classLogits { return [.classes] }
        return bundle.task == .salientObject ? [.cutout, .heat] : [.heat]
    }
}

/// A prediction made visible.
public struct Presentation: Sendable {
    public let kind: LayerKind
    /// RGBA, not premultiplied. A cut-out has the photograph's size and replaces it; other layers
    /// have the map's size and lie over it.
    public let layer: Picture
    /// Of the classes that occur; empty for maps.
    public let legend: [LegendEntry]
    /// What making it took.
    public let ms: Double

    /// Classes are not to be mixed where they meet.
    public var isSmooth: Bool { kind != .classes }

    public init(
        _ prediction: Prediction, of bundle: ModelBundle, as kind: LayerKind, photo: Picture, colours: [[UInt8]]
    ) throws {
        let clock = Stopwatch()
        self.kind = kind
        switch kind {
        case .heat:
            layer = Layers.heat(prediction.map, colours: colours)
            legend = []
        case .cutout:
            layer = Layers.cutout(photo, map: prediction.map)
            legend = []
        case .classes:
            let classes = bundle.classes
            let found = Layers.classes(prediction.output, colours: try classes.map { try HexColour.rgb($0.colour) })
            layer = found.layer
            legend = try LegendEntry.entries(found.shares, classes: classes)
        }
        ms = clock.ms
    }
}
