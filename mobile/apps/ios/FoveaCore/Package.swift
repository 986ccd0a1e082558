// swift-tools-version: 6.0
import PackageDescription

let package = Package(
    name: "FoveaCore",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "FoveaCore", targets: ["FoveaCore"])],
    targets: [
        .target(name: "FoveaCore"),
        // The tests read PNG files without Apple's frameworks; zlib is on every system with Swift.
        .systemLibrary(name: "CZlib", path: "Tests/CZlib"),
        .testTarget(name: "FoveaCoreTests", dependencies: ["FoveaCore", "CZlib"]),
    ]
)
