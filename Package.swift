// swift-tools-version: 6.0
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "specchat",
    products: [.executable(name: "specchat", targets: ["specchat"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    ],
    targets: [
        .executableTarget(
            name: "specchat",
            dependencies: [
                "ChatTUI", "ConversationStore", "Engine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ],
            swiftSettings: strict),
        .target(
            name: "ChatTUI", dependencies: ["ConversationStore", "Engine", "CTerm", "CSixel"], swiftSettings: strict),
        .target(
            name: "Engine",
            dependencies: [
                "CKernels", "CFileGuard", "COpenBLAS", "CGdkPixbuf",
                .product(name: "HeapModule", package: "swift-collections"),
            ],
            swiftSettings: strict),
        .target(
            name: "ConversationStore",
            dependencies: ["Engine", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: strict),
        .target(
            name: "CKernels",
            // Kernels are timed in debug builds too; a plain-loop build would make the tests take minutes.
            cSettings: [.unsafeFlags(["-O3", "-ffp-contract=off", "-fno-math-errno"])],
            linkerSettings: [.linkedLibrary("m")]),
        .target(name: "CFileGuard"),
        .target(
            name: "CTerm",
            cSettings: [.define("_GNU_SOURCE")],
            linkerSettings: [.linkedLibrary("ncursesw"), .linkedLibrary("tinfo")]),
        .systemLibrary(name: "CSixel", pkgConfig: "libsixel", providers: [.apt(["libsixel-dev"])]),
        .systemLibrary(
            name: "CGdkPixbuf", pkgConfig: "gdk-pixbuf-2.0", providers: [.apt(["libgdk-pixbuf-2.0-dev"])]),
        // OpenBLAS is opened when it is first needed (Docs/Decisions/0016), so there is nothing to link.
        .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("dl", .when(platforms: [.linux]))]),
        .testTarget(
            name: "EngineTests", dependencies: ["Engine", "CKernels", "SmallDisk"], exclude: ["Goldens", "Fixtures"],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "specchat", "ChatTUI", "ConversationStore", "Engine",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),
        .testTarget(
            name: "ConversationStoreTests",
            dependencies: [
                "ConversationStore", "StoreWriter", "SmallDisk", "Engine",
                .product(name: "GRDB", package: "GRDB.swift"),
            ],
            swiftSettings: strict),
        .target(name: "SmallDisk", path: "Tests/SmallDisk", swiftSettings: strict),
        .executableTarget(
            name: "StoreWriter", dependencies: ["ConversationStore", "Engine"], path: "Tests/StoreWriter",
            swiftSettings: strict),
        .testTarget(
            name: "ChatTUITests", dependencies: ["ChatTUI", "ConversationStore", "Engine"], swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
