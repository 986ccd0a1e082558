import Foundation
import FoveaCore
import UIKit

/// What a latency row says of the phone: its model and system, never its name.
enum DeviceState {
    @MainActor static var place: Place {
        Place(device: hardware, os: "\(UIDevice.current.systemName) \(UIDevice.current.systemVersion)")
    }

    static var isSimulator: Bool {
        #if targetEnvironment(simulator)
            true
        #else
            false
        #endif
    }

    @Sendable static func thermal() -> ThermalWord {
        switch ProcessInfo.processInfo.thermalState {
        case .nominal: .nominal
        case .fair: .fair
        case .serious: .serious
        case .critical: .critical
        @unknown default: .critical
        }
    }

    /// Such as `iPhone15,2`.
    private static var hardware: String {
        var system = utsname()
        uname(&system)
        return withUnsafeBytes(of: &system.machine) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
