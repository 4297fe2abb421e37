// ChatApp.swift — the chat on the screen: wait for a key, an engine event or a resize; reduce; render; draw.

import Engine
