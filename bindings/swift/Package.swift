// swift-tools-version:6.0
import PackageDescription

// `xcframework.sh` beside this file makes ForasNative.xcframework and fills Generated/.
let package = Package(
    name: "Foras",
    platforms: [.iOS(.v15), .macOS(.v13)],
    products: [.library(name: "Foras", targets: ["Foras"])],
    targets: [
        .binaryTarget(name: "ForasNative", path: "ForasNative.xcframework"),
        .target(
            name: "ForasFFI",
            dependencies: ["ForasNative"],
            path: "Generated",
            // What uniffi generates is not clean in mode 6 yet; our own layer is.
            swiftSettings: [.swiftLanguageMode(.v5)]
        ),
        .target(
            name: "Foras",
            dependencies: ["ForasFFI"],
            swiftSettings: [.swiftLanguageMode(.v5), .enableUpcomingFeature("StrictConcurrency")]
        ),
    ]
)
