import Testing

@testable import FoveaCore

/// What is shown of each task.
@Suite struct PresentationTests {
    private func bundle(_ name: String, task: String) throws -> ToyBundle {
        try ToyBundle(name) { top in
            var spec = top["spec"] as! [String: Any]
            spec["task"] = task
            top["spec"] = spec
        }
    }

    private let photo = try! Picture(width: 6, height: 4, channels: 3, bytes: [UInt8](repeating: 7, count: 72))

    private func prediction(_ shape: [Int]) throws -> Prediction {
        let output = try FloatArray(shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0) - 2 })
        let meaning: Meaning = shape.count == 3 ? .classLogits : .logits
        return Prediction(
            output: output, map: Maps.of(output, meaning: meaning), beforeMs: 1, modelMs: 4, afterMs: 1)
    }

    @Test func everyTaskHasItsWays() throws {
        #expect(LayerKind.available(for: try bundle("whole", task: "saliency").bundle) == [.heat])
        #expect(LayerKind.available(for: try bundle("whole", task: "salient_object").bundle) == [.cutout, .heat])
        #expect(LayerKind.available(for: try bundle("whole_semantic", task: "semantic").bundle) == [.classes])
    }

    @Test func layersHaveTheMapsSizeAndCutoutsThePhotographs() throws {
        let toy = try bundle("whole", task: "salient_object").bundle
        let colours = try Vectors.colours()
        let heat = try Presentation(prediction([2, 3]), of: toy, as: .heat, photo: photo, colours: colours)
        #expect(heat.ms > 0)
        #expect(heat.layer.width == 3 && heat.layer.height == 2 && heat.isSmooth && heat.legend.isEmpty)
        let cutout = try Presentation(prediction([2, 3]), of: toy, as: .cutout, photo: photo, colours: colours)
        #expect(cutout.layer.width == 6 && cutout.layer.height == 4)
        #expect(cutout.layer.bytes.prefix(3) == [7, 7, 7])
    }

    @Test func classesBringTheirLegend() throws {
        let toy = try bundle("whole_semantic", task: "semantic").bundle
        let shown = try Presentation(prediction([3, 2, 3]), of: toy, as: .classes, photo: photo, colours: [])
        #expect(shown.legend.map(\.name) == ["people"] && !shown.isSmooth)
        #expect(shown.layer.bytes.prefix(4) == [0x9d, 0xf2, 0x24, 158])
    }

    @Test func overheadIsAShareOfTheModelsTime() throws {
        #expect(try prediction([2, 3]).overhead() == 0.5)
        #expect(try prediction([2, 3]).overhead(layerMs: 2) == 1)
    }
}
