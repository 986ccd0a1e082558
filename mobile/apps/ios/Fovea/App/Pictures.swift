import CoreGraphics
import CoreVideo
import Foundation
import FoveaCore

extension Picture {
    /// For the screen. A photograph's fourth byte means nothing; a layer's is its opacity.
    func image(opaque: Bool) -> CGImage? {
        guard channels == 4, let provider = CGDataProvider(data: Data(bytes) as CFData),
            let space = CGColorSpace(name: CGColorSpace.sRGB)
        else { return nil }
        let alpha: CGImageAlphaInfo = opaque ? .noneSkipLast : .last
        return CGImage(
            width: width, height: height, bitsPerComponent: 8, bitsPerPixel: 32, bytesPerRow: 4 * width,
            space: space, bitmapInfo: CGBitmapInfo(rawValue: alpha.rawValue), provider: provider, decode: nil,
            shouldInterpolate: true, intent: .defaultIntent)
    }
}

/// A frame of the camera, upright, BGRA.
///
/// Unchecked: the camera hands a buffer out once and writes to others meanwhile.
struct Frame: @unchecked Sendable {
    let buffer: CVPixelBuffer

    /// Lends the pixels; they are not copied.
    func read<Result>(_ body: (PixelView) throws -> Result) throws -> Result {
        CVPixelBufferLockBaseAddress(buffer, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        guard CVPixelBufferGetPixelFormatType(buffer) == kCVPixelFormatType_32BGRA,
            let base = CVPixelBufferGetBaseAddress(buffer)
        else {
            throw FoveaError("the camera gives another pixel format than was asked for; choose a photograph instead")
        }
        return try body(
            PixelView(
                base: UnsafePointer(base.assumingMemoryBound(to: UInt8.self)),
                width: CVPixelBufferGetWidth(buffer), height: CVPixelBufferGetHeight(buffer),
                rowBytes: CVPixelBufferGetBytesPerRow(buffer), pixelBytes: 4, order: [2, 1, 0]))
    }

    /// A copy, RGB and an opaque fourth byte.
    func picture() throws -> Picture {
        try read { view in
            let count = view.width * view.height
            let bytes = [UInt8](unsafeUninitializedCapacity: 4 * count) { result, filled in
                for y in 0..<view.height {
                    let row = view.base + y * view.rowBytes
                    for x in 0..<view.width {
                        let to = 4 * (y * view.width + x)
                        for channel in 0..<3 { result[to + channel] = row[4 * x + view.order[channel]] }
                        result[to + 3] = 255
                    }
                }
                filled = 4 * count
            }
            return try Picture(width: view.width, height: view.height, channels: 4, bytes: bytes)
        }
    }
}
