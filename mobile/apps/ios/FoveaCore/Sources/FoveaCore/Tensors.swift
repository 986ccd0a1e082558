/// Between pictures (h, w, 3) or outputs and the layouts that files take and give.
public enum Tensors {
    /// (h, w, 3) as (1, 3, h, w) or (1, h, w, 3).
    public static func input(_ pixels: FloatArray, layout: Layout) -> FloatArray {
        let (h, w, c) = (pixels.shape[0], pixels.shape[1], pixels.shape[2])
        guard layout == .nchw else { return FloatArray(unchecked: [1, h, w, c], pixels.values) }
        return FloatArray(unchecked: [1, c, h, w], planes(pixels.values, count: h * w, channels: c))
    }

    /// An output of rank 4 as (C, H, W), whatever its file's layout.
    public static func output(_ array: FloatArray, layout: Layout) throws -> FloatArray {
        guard array.shape.count == 4, array.shape[0] == 1 else {
            throw FoveaError("the model gave the shape \(array.shape); expected [1, C, H, W] or [1, H, W, C]")
        }
        guard layout == .nhwc else { return FloatArray(unchecked: Array(array.shape.dropFirst()), array.values) }
        let (h, w, c) = (array.shape[1], array.shape[2], array.shape[3])
        return FloatArray(unchecked: [c, h, w], planes(array.values, count: h * w, channels: c))
    }

    private static func planes(_ values: [Float], count: Int, channels: Int) -> [Float] {
        values.withUnsafeBufferPointer { source in
            [Float](unsafeUninitializedCapacity: count * channels) { result, filled in
                for channel in 0..<channels {
                    for pixel in 0..<count {
                        result[channel * count + pixel] = source[pixel * channels + channel]
                    }
                }
                filled = count * channels
            }
        }
    }
}
