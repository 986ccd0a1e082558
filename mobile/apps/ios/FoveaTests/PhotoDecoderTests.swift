import CoreGraphics
import Foundation
import FoveaCore
import ImageIO
import Testing
import UniformTypeIdentifiers

@testable import Fovea

/// Apple's decoder in front of the shared vectors: what it must not change, and what it must refuse.
@Suite struct PhotoDecoderTests {
    struct ResizeCase: Decodable {
        let input: String, output: String
        let height: Int, width: Int
        let tolerance: Double
    }

    @Test func decodedPixelsResizeAsTheVectorsSay() throws {
        for each: ResizeCase in try SharedVectors.cases("resize") {
            let photo = try SharedVectors.picture(each.input)
            let obtained = Resize.triangle(photo, height: each.height, width: each.width)
            let expected = try FloatArray(npy: SharedVectors.url(each.output))
            #expect(Correlation.maxAbs(obtained.values, expected.values) <= each.tolerance, "\(each.output)")
        }
    }

    struct UprightCase: Decodable {
        let input: String, output: String
        let orientation: Int
    }

    /// The orientation is written into the file and read by ImageIO, as a phone's camera does it.
    @Test func orientationsOfFilesAreFollowed() throws {
        for each: UprightCase in try SharedVectors.cases("upright") {
            let stored = try SharedVectors.picture(each.input)
            let file = try encoded(stored, as: .png, orientation: each.orientation)
            #expect(try PhotoDecoder.decode(file).picture == SharedVectors.picture(each.output), "\(each.orientation)")
        }
    }

    @Test func transparencyLiesOnWhite() throws {
        let clear = try Picture(width: 2, height: 1, channels: 4, bytes: [10, 20, 30, 0, 10, 20, 30, 255])
        let file = try encoded(clear, as: .png, orientation: 1, opaque: false)
        #expect(try PhotoDecoder.decode(file).picture.bytes == [255, 255, 255, 255, 10, 20, 30, 255])
    }

    /// A grey profile must not bend the levels on their way to red, green and blue.
    @Test func greyLevelsStayWhatTheyAre() throws {
        let levels = (0..<256).map { UInt8($0) }
        let provider = try #require(CGDataProvider(data: Data(levels) as CFData))
        let image = try #require(
            CGImage(
                width: 256, height: 1, bitsPerComponent: 8, bitsPerPixel: 8, bytesPerRow: 256,
                space: CGColorSpaceCreateDeviceGray(),
                bitmapInfo: CGBitmapInfo(rawValue: CGImageAlphaInfo.none.rawValue),
                provider: provider, decode: nil, shouldInterpolate: false, intent: .defaultIntent))
        let decoded = try PhotoDecoder.decode(try file(image, as: .png, orientation: 1)).picture
        #expect(decoded.bytes == levels.flatMap { [$0, $0, $0, UInt8.max] })
    }

    @Test func aHugePhotographIsMadeSmallerWhileItIsDecoded() throws {
        let side = 10_000
        let context = try #require(
            CGContext(
                data: nil, width: side, height: side, bitsPerComponent: 8, bytesPerRow: side,
                space: CGColorSpaceCreateDeviceGray(), bitmapInfo: CGImageAlphaInfo.none.rawValue))
        let image = try #require(context.makeImage())
        let photo = try PhotoDecoder.decode(try file(image, as: .jpeg, orientation: 1))
        #expect(photo.picture.width * photo.picture.height <= PhotoDecoder.mostPixels)
        #expect(photo.notice?.contains("100 megapixels") == true)
    }

    @Test func whatIsNoPictureIsRefusedInWords() {
        for (data, word) in [(Data(), "empty"), (Data("no picture".utf8), "not a picture")] {
            do {
                _ = try PhotoDecoder.decode(data)
                Issue.record("decoded \(data.count) bytes of nothing")
            } catch {
                #expect(words(of: error).contains(word))
            }
        }
    }

    private func encoded(
        _ picture: Picture, as type: UTType, orientation: Int, opaque: Bool = true
    ) throws -> Data {
        try file(try #require(picture.image(opaque: opaque)), as: type, orientation: orientation)
    }

    private func file(_ image: CGImage, as type: UTType, orientation: Int) throws -> Data {
        let data = NSMutableData()
        let target = try #require(
            CGImageDestinationCreateWithData(data as CFMutableData, type.identifier as CFString, 1, nil))
        CGImageDestinationAddImage(target, image, [kCGImagePropertyOrientation: orientation] as CFDictionary)
        try #require(CGImageDestinationFinalize(target))
        return data as Data
    }
}
