import Testing

@testable import FoveaCore

/// From pixels to tensors: the lists `resize`, `upright` and `tensors`.
@Suite struct PictureVectorTests {
    struct ResizeCase: Decodable, Sendable {
        let input: String, output: String
        let height: Int, width: Int
        let tolerance: Float
    }

    @Test(arguments: Vectors.cases("resize", of: ResizeCase.self))
    func resize(_ each: ResizeCase) throws {
        let expected = try Vectors.array(each.output)
        let obtained = Resize.triangle(try Vectors.picture(each.input), height: each.height, width: each.width)
        #expect(obtained.shape == expected.shape)
        #expect(Correlation.maxAbs(obtained.values, expected.values) <= Double(each.tolerance))
    }

    @Test(arguments: Vectors.cases("resize", of: ResizeCase.self))
    func paddedRowsOfBlueGreenRed(_ each: ResizeCase) throws {
        let picture = try Vectors.picture(each.input)
        let rowBytes = picture.width * 4 + 24
        var buffer = [UInt8](repeating: 99, count: rowBytes * picture.height)
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                for channel in 0..<3 {
                    buffer[y * rowBytes + 4 * x + 2 - channel] = picture.bytes[(y * picture.width + x) * 3 + channel]
                }
            }
        }
        let obtained = buffer.withUnsafeBufferPointer {
            Resize.triangle(
                PixelView(
                    base: $0.baseAddress!, width: picture.width, height: picture.height, rowBytes: rowBytes,
                    pixelBytes: 4, order: [2, 1, 0]),
                height: each.height, width: each.width)
        }
        let expected = Resize.triangle(picture, height: each.height, width: each.width)
        #expect(obtained == expected)
    }

    struct UprightCase: Decodable, Sendable {
        let input: String, output: String
        let orientation: Int
    }

    @Test(arguments: Vectors.cases("upright", of: UprightCase.self))
    func upright(_ each: UprightCase) throws {
        let stored = try Vectors.picture(each.input)
        #expect(try Orientation.upright(stored, exif: each.orientation) == Vectors.picture(each.output))
    }

    @Test(arguments: [0, 9, -1]) func unknownOrientationsChangeNothing(_ exif: Int) throws {
        let stored = try Vectors.picture("upright/stored.png")
        #expect(Orientation.upright(stored, exif: exif) == stored)
    }

    struct TensorCase: Decodable, Sendable {
        let input: String, output: String
        let layout: Layout
    }

    @Test(arguments: Vectors.cases("tensors", of: TensorCase.self))
    func tensors(_ each: TensorCase) throws {
        let picture = try Vectors.picture(each.input)
        // A resize to the same size changes no value.
        let pixels = Resize.triangle(picture, height: picture.height, width: picture.width)
        let obtained = Tensors.input(pixels, layout: each.layout)
        #expect(try obtained == Vectors.array(each.output))
        let back = try Tensors.output(obtained, layout: each.layout)
        #expect(try back == Tensors.output(Tensors.input(pixels, layout: .nchw), layout: .nchw))
    }

    @Test func transparencyLiesOnWhite() throws {
        let picture = try Picture(
            width: 3, height: 1, channels: 4, bytes: [200, 0, 100, 0, 200, 0, 100, 255, 0, 255, 100, 51])
        #expect(picture.onWhite().bytes == [255, 255, 255, 200, 0, 100, 204, 255, 224])
    }

    @Test(arguments: [(0, 4), (4, 0), (0, 0)]) func emptyPicturesAreRefused(_ size: (Int, Int)) {
        #expect(throws: FoveaError.self) {
            try Picture(width: size.0, height: size.1, channels: 3, bytes: [])
        }
    }
}
