import CoreGraphics
import Foundation
import FoveaCore
import ImageIO
import UniformTypeIdentifiers

/// A photograph, upright, as the model and the screen take it.
struct Photo: Sendable, Identifiable {
    let id = UUID()
    /// Four bytes a pixel, opaque, on white.
    let picture: Picture
    /// What was done to it that a person should know.
    let notice: String?
}

/// decode → upright by EXIF → RGB on white.
enum PhotoDecoder {
    /// Larger ones are made smaller while they are decoded: as bytes they would fill the memory.
    static let mostPixels = 24_000_000

    static func decode(_ data: Data) throws -> Photo {
        guard !data.isEmpty else { throw FoveaError("the file is empty; choose another photograph") }
        guard let source = CGImageSourceCreateWithData(data as CFData, nil), CGImageSourceGetCount(source) > 0
        else {
            throw FoveaError("the file is not a picture that this device knows; choose a JPEG, PNG or HEIC")
        }
        let properties = CGImageSourceCopyPropertiesAtIndex(source, 0, nil) as? [CFString: Any] ?? [:]
        let width = properties[kCGImagePropertyPixelWidth] as? Int ?? 0
        let height = properties[kCGImagePropertyPixelHeight] as? Int ?? 0
        guard width > 0, height > 0 else {
            throw FoveaError("the picture has no size (\(width) × \(height)); choose another one")
        }
        let image = try decoded(source, width: width, height: height)
        let exif = properties[kCGImagePropertyOrientation] as? Int ?? 1
        let picture = Orientation.upright(try onWhite(image), exif: exif)
        let isSmaller = image.width * image.height < width * height
        let size = "\(picture.width) × \(picture.height)"
        let notice = "The photograph has \(width * height / 1_000_000) megapixels; it was decoded at \(size)."
        return Photo(picture: picture, notice: isSmaller ? notice : nil)
    }

    static func decode(_ file: URL) throws -> Photo {
        guard let data = try? Data(contentsOf: file) else {
            throw FoveaError("\(file.lastPathComponent) cannot be read; install the bundle again")
        }
        return try decode(data)
    }

    private static func decoded(_ source: CGImageSource, width: Int, height: Int) throws -> CGImage {
        let image: CGImage?
        if width * height > mostPixels {
            let shrink = (Double(mostPixels) / Double(width * height)).squareRoot()
            let options: [CFString: Any] = [
                kCGImageSourceCreateThumbnailFromImageAlways: true,
                kCGImageSourceCreateThumbnailWithTransform: false,
                kCGImageSourceThumbnailMaxPixelSize: Int(shrink * Double(max(width, height))),
            ]
            image = CGImageSourceCreateThumbnailAtIndex(source, 0, options as CFDictionary)
        } else {
            image = CGImageSourceCreateImageAtIndex(source, 0, [kCGImageSourceShouldCache: false] as CFDictionary)
        }
        guard let image else {
            let type = (CGImageSourceGetType(source) as String?).flatMap { UTType($0)?.localizedDescription }
            let kind = type ?? "this kind of file"
            throw FoveaError("\(kind) cannot be decoded on this device, or is damaged; convert it to JPEG or PNG")
        }
        return image
    }

    /// The values as they are stored: in the picture's own colour space, so that nothing is
    /// converted which the pipeline would not convert either.
    private static func onWhite(_ image: CGImage) throws -> Picture {
        let own = image.colorSpace
        if own?.model == .monochrome, let grey = drawn(image, in: own, channels: 1) {
            var bytes = [UInt8](repeating: 255, count: 4 * grey.count)
            for (pixel, level) in grey.enumerated() {
                for channel in 0..<3 { bytes[4 * pixel + channel] = level }
            }
            return try Picture(width: image.width, height: image.height, channels: 4, bytes: bytes)
        }
        // Palettes, CMYK and spaces beyond 8 bits have no context of their own.
        for space in [own?.model == .rgb ? own : nil, CGColorSpace(name: CGColorSpace.sRGB)] {
            guard var bytes = drawn(image, in: space, channels: 4) else { continue }
            // What Core Graphics leaves in a skipped byte is not said.
            for alpha in stride(from: 3, to: bytes.count, by: 4) { bytes[alpha] = 255 }
            return try Picture(width: image.width, height: image.height, channels: 4, bytes: bytes)
        }
        throw FoveaError("the picture's colours cannot be read; convert it to JPEG or PNG")
    }

    private static func drawn(_ image: CGImage, in space: CGColorSpace?, channels: Int) -> [UInt8]? {
        guard let space else { return nil }
        let (width, height) = (image.width, image.height)
        let alpha: CGImageAlphaInfo = channels == 1 ? .none : .noneSkipLast
        var bytes = [UInt8](repeating: 255, count: channels * width * height)
        let isDrawn = bytes.withUnsafeMutableBytes { buffer in
            guard
                let context = CGContext(
                    data: buffer.baseAddress, width: width, height: height, bitsPerComponent: 8,
                    bytesPerRow: channels * width, space: space, bitmapInfo: alpha.rawValue)
            else { return false }
            context.interpolationQuality = .none
            context.draw(image, in: CGRect(x: 0, y: 0, width: width, height: height))
            return true
        }
        return isDrawn ? bytes : nil
    }
}
