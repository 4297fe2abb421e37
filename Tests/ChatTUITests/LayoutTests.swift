import ChatTUI
import Testing
