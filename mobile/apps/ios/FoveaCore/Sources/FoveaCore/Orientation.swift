/// The eight ways a photograph may lie in its file (EXIF), and how to set it upright.
public enum Orientation {
    /// `picture` as it should be seen. An orientation that EXIF does not know leaves it as it is.
    public static func upright(_ picture: Picture, exif: Int) -> Picture {
        guard (2...8).contains(exif) else { return picture }
        let (w, h, n) = (picture.width, picture.height, picture.channels)
        let turned = exif >= 5
        let (width, height) = turned ? (h, w) : (w, h)
        // The stored pixel that becomes the upper left one, and the steps to its neighbours.
        let (right, left) = (1, -1)
        let (down, up) = (w, -w)
        let (start, along, across): (Int, Int, Int) =
            switch exif {
            case 2: (w - 1, left, down)
            case 3: (w * h - 1, left, up)
            case 4: (w * (h - 1), right, up)
            case 5: (0, down, right)
            case 6: (w * (h - 1), up, right)
            case 7: (w * h - 1, up, left)
            default: (w - 1, down, left)
            }
        var bytes = [UInt8](repeating: 0, count: picture.bytes.count)
        picture.bytes.withUnsafeBufferPointer { stored in
            bytes.withUnsafeMutableBufferPointer { shown in
                for y in 0..<height {
                    var from = start + y * across
                    for x in 0..<width {
                        for channel in 0..<n {
                            shown[(y * width + x) * n + channel] = stored[from * n + channel]
                        }
                        from += along
                    }
                }
            }
        }
        return Picture(unchecked: width, height, n, bytes)
    }
}
