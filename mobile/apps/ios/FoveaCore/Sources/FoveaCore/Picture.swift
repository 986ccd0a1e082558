import Foundation

/// An upright or stored picture: 8 bits a channel, rows from the top, RGB or RGBA side by side.
public struct Picture: Equatable, Sendable {
    public let width: Int
    public let height: Int
    /// 3 or 4.
    public let channels: Int
    public let bytes: [UInt8]

    /// Throws `FoveaError` for a picture of no size, or one whose bytes do not fit its size.
    public init(width: Int, height: Int, channels: Int, bytes: [UInt8]) throws {
        guard width > 0, height > 0 else {
            throw FoveaError("the picture has no size (\(width) × \(height)); choose another one")
        }
        guard channels == 3 || channels == 4, bytes.count == width * height * channels else {
            throw FoveaError("\(bytes.count) bytes are no picture of \(width) × \(height) with \(channels) channels")
        }
        self.init(unchecked: width, height, channels, bytes)
    }

    init(unchecked width: Int, _ height: Int, _ channels: Int, _ bytes: [UInt8]) {
        self.width = width
        self.height = height
        self.channels = channels
        self.bytes = bytes
    }

    /// RGB, transparent places in front of white. `self` must not be premultiplied.
    public func onWhite() -> Picture {
        guard channels == 4 else { return self }
        var solid = [UInt8](repeating: 255, count: width * height * 3)
        for pixel in 0..<width * height {
            let alpha = Int(bytes[4 * pixel + 3])
            for channel in 0..<3 {
                let mixed = Int(bytes[4 * pixel + channel]) * alpha + 255 * (255 - alpha)
                solid[3 * pixel + channel] = UInt8((mixed + 127) / 255)
            }
        }
        return Picture(unchecked: width, height, 3, solid)
    }
}

/// Pixels where they lie, for example in a camera's buffer: nothing is copied before the resize.
public struct PixelView {
    public let base: UnsafePointer<UInt8>
    public let width: Int
    public let height: Int
    /// Bytes from one row to the next; rows may be padded.
    public let rowBytes: Int
    public let pixelBytes: Int
    /// Where red, green and blue lie in a pixel: `[2, 1, 0]` for BGRA.
    public let order: [Int]

    public init(
        base: UnsafePointer<UInt8>, width: Int, height: Int, rowBytes: Int, pixelBytes: Int, order: [Int]
    ) {
        self.base = base
        self.width = width
        self.height = height
        self.rowBytes = rowBytes
        self.pixelBytes = pixelBytes
        self.order = order
    }
}
