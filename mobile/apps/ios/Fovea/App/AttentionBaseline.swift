import CoreVideo
import FoveaCore
import Vision

/// Apple's own attention map: on every iPhone, free, and what a model has to be better than.
enum AttentionBaseline {
    /// Values of 0–1, (h, w), at the size that Vision gives.
    static func map(of photo: Picture) throws -> FloatArray {
        guard let image = photo.image(opaque: true) else {
            throw FoveaError("the photograph cannot be handed to Vision; choose another one")
        }
        let request = VNGenerateAttentionBasedSaliencyImageRequest()
        try VNImageRequestHandler(cgImage: image, options: [:]).perform([request])
        guard let observation = request.results?.first else {
            throw FoveaError("Vision found no attention map in this photograph")
        }
        return try values(observation.pixelBuffer)
    }

    private static func values(_ buffer: CVPixelBuffer) throws -> FloatArray {
        CVPixelBufferLockBaseAddress(buffer, .readOnly)
        defer { CVPixelBufferUnlockBaseAddress(buffer, .readOnly) }
        guard CVPixelBufferGetPixelFormatType(buffer) == kCVPixelFormatType_OneComponent32Float,
            let base = CVPixelBufferGetBaseAddress(buffer)
        else {
            throw FoveaError("Vision gives its attention map in an unknown format on this system")
        }
        let (width, height) = (CVPixelBufferGetWidth(buffer), CVPixelBufferGetHeight(buffer))
        let rowBytes = CVPixelBufferGetBytesPerRow(buffer)
        var values: [Float] = []
        values.reserveCapacity(width * height)
        for y in 0..<height {
            let row = (base + y * rowBytes).assumingMemoryBound(to: Float.self)
            values.append(contentsOf: UnsafeBufferPointer(start: row, count: width))
        }
        return try FloatArray(shape: [height, width], values: values)
    }
}
