@preconcurrency import AVFoundation
import FoveaCore

/// Upright frames of the back camera, always the newest one.
///
/// Unchecked: everything that changes is touched on `queue` alone.
final class CameraFeed: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, @unchecked Sendable {
    let frames: AsyncStream<Frame>
    private let newest: AsyncStream<Frame>.Continuation
    private let session = AVCaptureSession()
    private let output = AVCaptureVideoDataOutput()
    private let queue = DispatchQueue(label: "fovea.camera")
    private var coordinator: AVCaptureDevice.RotationCoordinator?
    private var observation: NSKeyValueObservation?

    override init() {
        // A slow model sees fewer frames, never late ones.
        (frames, newest) = AsyncStream.makeStream(of: Frame.self, bufferingPolicy: .bufferingNewest(1))
        super.init()
    }

    /// Throws `FoveaError` where the camera is refused, absent or in use.
    func start() async throws {
        guard await Self.isAllowed() else {
            throw FoveaError("the camera is refused; allow it in Settings › Fovea › Camera, or choose a photograph")
        }
        try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
            queue.async {
                do {
                    try self.configure()
                    self.session.startRunning()
                    done.resume()
                } catch {
                    done.resume(throwing: error)
                }
            }
        }
    }

    func stop() {
        queue.async {
            self.observation = nil
            self.session.stopRunning()
            self.newest.finish()
        }
    }

    private static func isAllowed() async -> Bool {
        switch AVCaptureDevice.authorizationStatus(for: .video) {
        case .authorized: true
        case .notDetermined: await AVCaptureDevice.requestAccess(for: .video)
        default: false
        }
    }

    private func configure() throws {
        guard let camera = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .back) else {
            throw FoveaError("this device has no back camera; choose a photograph")
        }
        let input = try AVCaptureDeviceInput(device: camera)
        session.beginConfiguration()
        defer { session.commitConfiguration() }
        session.sessionPreset = .hd1280x720
        guard session.canAddInput(input), session.canAddOutput(output) else {
            throw FoveaError("the camera is in use by another app; close it and try again")
        }
        session.addInput(input)
        session.addOutput(output)
        output.alwaysDiscardsLateVideoFrames = true
        output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA]
        output.setSampleBufferDelegate(self, queue: queue)
        follow(camera)
    }

    /// The frames themselves are turned, so that what the model sees is what gravity calls upright.
    private func follow(_ camera: AVCaptureDevice) {
        let coordinator = AVCaptureDevice.RotationCoordinator(device: camera, previewLayer: nil)
        self.coordinator = coordinator
        observation = coordinator.observe(\.videoRotationAngleForHorizonLevelCapture, options: [.initial, .new]) {
            [weak self] coordinator, _ in
            let angle = coordinator.videoRotationAngleForHorizonLevelCapture
            guard let self else { return }
            queue.async { self.turn(angle) }
        }
    }

    private func turn(_ angle: CGFloat) {
        guard let connection = output.connection(with: .video), connection.isVideoRotationAngleSupported(angle)
        else { return }
        connection.videoRotationAngle = angle
    }

    func captureOutput(
        _ output: AVCaptureOutput, didOutput sampleBuffer: CMSampleBuffer, from connection: AVCaptureConnection
    ) {
        guard let buffer = CMSampleBufferGetImageBuffer(sampleBuffer) else { return }
        newest.yield(Frame(buffer: buffer))
    }
}
