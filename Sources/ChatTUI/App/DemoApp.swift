// DemoApp.swift — the chat played by a script, on the real screen with the real engine.

import Foundation

public struct DemoApp {
    private let configuration: ChatConfiguration
    private let script: DemoScript
    private let pace: Double?
    private let environment: [String: String]

    /// - Parameter pace: seconds that every round stands, in place of what the script says.
    public init(
        configuration: ChatConfiguration, script: DemoScript, pace: Double? = nil,
        environment: [String: String]? = nil
    ) {
        self.configuration = configuration
        self.script = script
        self.pace = pace
        self.environment = environment ?? ProcessInfo.processInfo.environment
    }

    /// Plays the script and returns the exit code. Off a terminal there is nobody to show it to: exit code 3.
    public func run() -> Int32 {
        Terminal.useLocale()
        if let obstacle = Terminal.obstacle(terminalName: environment["TERM"] ?? "") {
            return ChatApp.fail(obstacle.description, exitCode: 3)
        }
        return ChatApp(configuration: configuration, environment: environment).runScreen(
            playing: Demo(script, pace: pace))
    }
}
