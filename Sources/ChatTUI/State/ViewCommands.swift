// ViewCommands.swift — the commands about the screen itself. Called by CommandDispatch.

extension AppState {
    mutating func showDoctor() -> [Effect] { notAvailable("/doctor") }
}
