// ViewCommands.swift — the commands about the screen itself. Called by CommandDispatch.

extension AppState {
    mutating func changeTheme(_ name: String?) -> [Effect] { notAvailable("/theme") }

    mutating func showDoctor() -> [Effect] { notAvailable("/doctor") }
}
