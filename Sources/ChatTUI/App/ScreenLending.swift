// ScreenLending.swift — what the loop does with the terminal besides drawing: lending it to an editor, and copying.

import Dispatch
import Glibc

extension ScreenLoop {
    /// Gives the terminal to the user's editor and takes it back; the engine goes on meanwhile, and so does the queue of
    /// questions.
    func edit(_ text: String) {
        terminal.lend()
        let outcome = actions.edit(text) { [self] in wait(for: $0) }
        terminal.takeBack()
        apply(.resized(terminal.size))
        apply(.edited(outcome))
    }

    /// Waits for the editor; nil when the program has to end before it.
    private func wait(for child: ChildProcess) -> ChildProcess.Ending? {
        while true {
            switch child.poll() {
            case .stopped?:
                // It stopped itself alone: the whole job stops, as with any program in a shell, and goes on together.
                kill(0, SIGTSTP)
                child.send(SIGCONT)
            case let ending?: return ending
            case nil: break
            }
            mailbox.hush()
            let wake = terminal.waitForSignals(milliseconds: 50)
            if wake.contains(.terminated) { end = ScreenEnd(exitCode: 143) }
            if wake.contains(.hungUp) { end = ScreenEnd(exitCode: 129) }
            for event in mailbox.takeAll() { apply(event) }
            if end != nil {
                child.send(SIGTERM)
                return child.wait(milliseconds: 500)
            }
        }
    }

    /// Puts the text into the clipboard by every way there is, and says which.
    func copy(_ text: String, what: String) {
        let sequence = Clipboard.sequence(for: text, isInTmux: environment["TMUX"]?.isEmpty == false)
        if let sequence { terminal.send(sequence) }
        let isSent = sequence != nil
        guard let words = Clipboard.program(environment: environment) else {
            return apply(.said(Clipboard.report(what: what, sent: isSent, program: nil)))
        }
        let mailbox = mailbox
        // A clipboard program may wait for a display that is gone; the screen does not wait with it.
        DispatchQueue.global().async { @Sendable in
            let failure = Clipboard.run(words, text: text)
            mailbox.post(.said(Clipboard.report(what: what, sent: isSent, program: (words[0], failure))))
        }
    }
}
