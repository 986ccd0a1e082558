import Testing

@testable import FoveaCore

/// From outputs to what is shown: the lists `maps`, `heat`, `classes` and `cutout`.
@Suite struct LayerVectorTests {
    struct MapCase: Decodable, Sendable {
        let meaning: String, input: String, output: String
    }

    @Test(arguments: Vectors.cases("maps", of: MapCase.self))
    func maps(_ each: MapCase) throws {
        let meaning = try #require(Meaning(rawValue: each.meaning))
        let obtained = Maps.of(try Vectors.array(each.input), meaning: meaning)
        let expected = try Vectors.array(each.output)
        #expect(obtained.shape == expected.shape)
        #expect(Correlation.maxAbs(obtained.values, expected.values) <= 1e-5)
    }

    struct HeatCase: Decodable, Sendable {
        let input: String, output: String
    }

    @Test(arguments: Vectors.cases("heat", of: HeatCase.self))
    func heat(_ each: HeatCase) throws {
        let colours = try Vectors.colours()
        let obtained = Layers.heat(try Vectors.array(each.input), colours: colours)
        let expected = try Vectors.picture(each.output)
        try #require(obtained.width == expected.width && obtained.height == expected.height)
        // Which levels a colour could come from; off by one level is allowed, another colour is not.
        let alphas = Layers.heat(
            try FloatArray(shape: [1, 256], values: (0..<256).map(Float.init)), colours: colours)
        for pixel in 0..<obtained.width * obtained.height {
            let shown = Array(obtained.bytes[4 * pixel..<4 * pixel + 4])
            let wanted = Array(expected.bytes[4 * pixel..<4 * pixel + 4])
            let levels = (0..<256).filter { Array(alphas.bytes[4 * $0..<4 * $0 + 4]) == wanted }
            let near = levels.flatMap { [max(0, $0 - 1), $0, min(255, $0 + 1)] }
            #expect(near.contains { Array(alphas.bytes[4 * $0..<4 * $0 + 4]) == shown })
        }
    }

    struct ClassCase: Decodable, Sendable {
        let input: String, output: String
        let colours: [String]
        let shares: [[Double]]
    }

    @Test(arguments: Vectors.cases("classes", of: ClassCase.self))
    func classes(_ each: ClassCase) throws {
        let colours = try each.colours.map(HexColour.rgb)
        let (layer, shares) = Layers.classes(try Vectors.array(each.input), colours: colours)
        #expect(try layer == Vectors.picture(each.output))
        #expect(shares == each.shares.map { ClassShare(index: Int($0[0]), share: $0[1]) })
    }

    struct CutoutCase: Decodable, Sendable {
        let photo: String, input: String, output: String
    }

    @Test(arguments: Vectors.cases("cutout", of: CutoutCase.self))
    func cutout(_ each: CutoutCase) throws {
        let obtained = Layers.cutout(try Vectors.picture(each.photo), map: try Vectors.array(each.input))
        let expected = try Vectors.picture(each.output)
        #expect(difference(obtained, expected, channels: 0..<3) == 0)
        #expect(difference(obtained, expected, channels: 3..<4) <= 1)
    }

    @Test func theLegendNamesWhatOccurs() throws {
        let classes = [
            Manifest.ClassEntry(name: "sky", colour: "#0000ff"),
            Manifest.ClassEntry(name: "tree", colour: "#00ff00"),
            Manifest.ClassEntry(name: "bird", colour: "#ff0000"),
        ]
        let shares = [ClassShare(index: 1, share: 0.996), ClassShare(index: 2, share: 0.004)]
        let legend = try LegendEntry.entries(shares, classes: classes)
        #expect(legend.map(\.name) == ["tree", "bird"])
        #expect(legend.map(\.share) == ["100 %", "< 1 %"])
        #expect(legend[1].colour == [255, 0, 0])
    }

    @Test func coloursOfUnnamedClassesDiffer() throws {
        let colours = (0..<64).map(HexColour.numbered)
        #expect(Set(colours).count == 64)
        for colour in colours { #expect(try HexColour.rgb(colour).count == 3) }
    }

    @Test(arguments: ["#12345", "#1234567", "red", "", "#12x456"]) func otherColoursAreRefused(_ text: String) {
        #expect(throws: FoveaError.self) { try HexColour.rgb(text) }
    }
}
