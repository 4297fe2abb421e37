// RoundPageParts.swift — style, elements and script of the page that plays rounds. Put together by RoundPage.

/// The three parts are plain HTML, CSS and JavaScript without any library, as old as browsers of the last ten years.
enum RoundPageParts {
    static let style = #"""
        :root { color-scheme: light dark; --ground: #fff; --ink: #1a1a1a; --faint: #666; --line: #777; --panel: #f5f5f2;
          --accepted: #0072b2; --accepted-ground: #eaf4fb; --bonus: #946c00; --bonus-ground: #fff8e0;
          --rejected: #b84a00; --root: #333; --root-ink: #fff; --shown: #ffe9a8; }
        @media (prefers-color-scheme: dark) { :root:not(.light) { --ground: #16181c; --ink: #e8e6e1; --faint: #9a9a94;
          --line: #8a8a86; --panel: #1f2227; --accepted: #58b4ee; --accepted-ground: #12303f; --bonus: #e0b53c;
          --bonus-ground: #33290c; --rejected: #f08a4b; --root: #d8d6d0; --root-ink: #16181c; --shown: #5a4a12; } }
        :root.dark { color-scheme: dark; --ground: #16181c; --ink: #e8e6e1; --faint: #9a9a94; --line: #8a8a86;
          --panel: #1f2227; --accepted: #58b4ee; --accepted-ground: #12303f; --bonus: #e0b53c; --bonus-ground: #33290c;
          --rejected: #f08a4b; --root: #d8d6d0; --root-ink: #16181c; --shown: #5a4a12; }
        :root.light { color-scheme: light; }
        * { box-sizing: border-box; }
        body { margin: 0; min-height: 100vh; display: flex; flex-direction: column; background: var(--ground);
          color: var(--ink); font: 15px/1.5 'DejaVu Sans Mono', 'Liberation Mono', Menlo, Consolas, monospace; }
        header, footer { padding: 10px 20px; background: var(--panel); display: flex; gap: 12px; align-items: center;
          flex-wrap: wrap; }
        h1 { font-size: 15px; margin: 0; flex: 1; overflow-wrap: anywhere; }
        #transcript { padding: 16px 20px; height: 9.5em; overflow-y: auto; white-space: pre-wrap; overflow-wrap: anywhere;
          max-width: 110ch; }
        #transcript .question { color: var(--faint); }
        #transcript .odd { text-decoration: underline; text-decoration-thickness: 1px; text-underline-offset: 4px; }
        #transcript .shown { background: var(--shown); font-weight: bold; }
        #facts { padding: 10px 20px 0; min-height: 4.4em; border-top: 1px solid var(--line); }
        #facts strong { display: block; }
        #facts span, .legend { color: var(--faint); font-size: 13px; }
        #stage { flex: 1; padding: 14px 20px; overflow: auto; min-height: 220px; }
        svg { display: block; max-width: none; }
        svg text { fill: var(--ink); font-size: 13px; } svg .small { font-size: 11px; fill: var(--faint); }
        .box { fill: var(--ground); stroke: var(--line); stroke-width: 1.2; }
        .edge { fill: none; stroke: var(--line); stroke-width: 1.2; }
        .root .box { fill: var(--root); stroke: var(--root); } svg .root text { fill: var(--root-ink); }
        .accepted .box { stroke: var(--accepted); stroke-width: 2.6; fill: var(--accepted-ground); }
        .bonus .box { stroke: var(--bonus); fill: var(--bonus-ground); }
        .accepted text:not(.small), .bonus text { font-weight: bold; }
        .rejected .box, .edge.rejected { stroke-dasharray: 6 3; } .rejected .box { stroke: var(--rejected); }
        .unreached .box, .edge.unreached { stroke-dasharray: 1.5 3; } svg .unreached text { fill: var(--faint); }
        .edge.accepted, .edge.bonus { stroke: var(--ink); stroke-width: 2.6; }
        button { font: inherit; min-width: 2.6em; padding: 3px 10px; border: 1px solid var(--line); border-radius: 5px;
          background: var(--ground); color: var(--ink); cursor: pointer; }
        button:focus-visible, input:focus-visible { outline: 2px solid var(--accepted); outline-offset: 2px; }
        input[type=range] { flex: 1; min-width: 120px; accent-color: var(--accepted); }
        .legend { padding: 0 20px 12px; display: flex; gap: 20px; flex-wrap: wrap; }
        """#

    static func body(title: String) -> String {
        """
        <header><h1>\(title)</h1><button id="theme" title="light or dark (d)">light/dark</button></header>
        <div id="transcript" tabindex="0" aria-label="the answer so far"></div>
        <div id="facts" aria-live="polite"><strong></strong><span></span></div>
        <div id="stage" tabindex="0"></div>
        <div class="legend"><span>\u{2713} accepted</span><span>\u{2605} target's own</span>\
        <span>\u{2717} rejected</span><span>\u{00B7} not reached</span><span>\u{25CB} drafted</span>\
        <span>space plays, arrows step, + and - change the speed, Home and End jump, d is light or dark</span></div>
        <footer><button id="back" title="one step back">\u{25C0}</button>\
        <button id="play" title="play or pause (space)">play</button>\
        <button id="on" title="one step on">\u{25B6}</button>\
        <input id="place" type="range" min="0" value="0" aria-label="round">\
        <span id="speed">1\u{00D7}</span></footer>
        """
    }

    static let script = #"""
        (function () {
          "use strict";
          var rounds = JSON.parse(document.getElementById("rounds").textContent);
          var phases = ["drafted", "verified", "committed"];
          var widest = rounds.reduce(function (most, round) { return Math.max(most, round.width + 4); }, 1);
          var step = 0, playing = false, speed = 1, timer = null;
          var space = "http" + "://www.w3.org/2000/svg";
          function find(id) { return document.getElementById(id); }
          function make(name, values, text) {
            var element = document.createElementNS(space, name);
            Object.keys(values).forEach(function (key) { element.setAttribute(key, values[key]); });
            if (text !== undefined) element.textContent = text;
            return element;
          }
          function kind(node, phase) {
            return phase === 0 && node.verdict !== "root" ? "drafted" : node.verdict;
          }
          function edge(from, to, phase) {
            var x1 = from.x + from.width, y1 = from.y + 13, x2 = to.x, y2 = to.y + 13, turn = x2 - 20;
            var path = y1 === y2 ? "M" + x1 + " " + y1 + "H" + x2
              : "M" + x1 + " " + y1 + "H" + (turn - 8) + "Q" + turn + " " + y1 + " " + turn + " " + (y1 + 8)
                + "V" + (y2 - 8) + "Q" + turn + " " + y2 + " " + (turn + 8) + " " + y2 + "H" + x2;
            return make("path", { "class": "edge " + kind(to, phase), d: path });
          }
          function draw(round, phase) {
            var width = round.width + 4, height = round.height + 4, room = find("stage").clientWidth - 40;
            // One size for all rounds, so that nothing jumps: as large as the widest tree allows, and still readable.
            var scale = Math.max(0.7, Math.min(1.7, room / widest));
            var picture = make("svg", { width: width * scale, height: height * scale, viewBox: "-2 -2 " + width + " " + height,
              role: "img", "aria-label": "draft tree of round " + round.number });
            var boxes = {};
            round.nodes.forEach(function (node) { boxes[node.index] = node; });
            var shown = round.nodes.filter(function (node) { return phase > 0 || node.verdict !== "bonus"; });
            shown.slice().reverse().forEach(function (node) {
              if (node.parent !== undefined) picture.appendChild(edge(boxes[node.parent], node, phase));
            });
            shown.forEach(function (node) {
              var group = make("g", { "class": kind(node, phase) }), x = node.x + 8, base = node.y + 17.5;
              group.appendChild(make("rect", { "class": "box", x: node.x, y: node.y, width: node.width, height: 26, rx: 4 }));
              if (node.verdict === "bonus") {
                group.appendChild(make("rect",
                  { "class": "box", x: node.x + 3, y: node.y + 3, width: node.width - 6, height: 20, rx: 4 }));
              }
              if (node.mark) {
                group.appendChild(make("text", { x: x, y: base }, phase === 0 ? "\u25CB" : node.mark));
                x += 15.6;
              }
              group.appendChild(make("text",
                { x: x, y: base, textLength: node.length, lengthAdjust: "spacingAndGlyphs" }, node.label));
              if (node.probability !== undefined) {
                group.appendChild(make("text", { "class": "small", x: node.x + node.width - 8, y: base,
                  "text-anchor": "end" }, node.probability));
              }
              picture.appendChild(group);
            });
            find("stage").replaceChildren(picture);
          }
          function write(last, phase) {
            var place = find("transcript"), parts = [];
            rounds.slice(0, phase === 2 ? last + 1 : last).forEach(function (round, index) {
              if (round.begins && index > 0) parts.push(document.createTextNode("\n\n"));
              if (round.begins && round.question) {
                var question = document.createElement("span");
                question.className = "question";
                question.textContent = round.question + "\n";
                parts.push(question);
              }
              var run = document.createElement("span");
              run.className = index === last ? "shown" : round.number % 2 ? "odd" : "";
              run.textContent = round.begins ? round.text.replace(/^\s+/, "") : round.text;
              parts.push(run);
            });
            place.replaceChildren.apply(place, parts);
            place.scrollTop = place.scrollHeight;
          }
          function show() {
            var last = Math.floor(step / 3), phase = step % 3, round = rounds[last];
            if (!round) return;
            write(last, phase);
            draw(round, phase);
            var facts = find("facts");
            facts.firstChild.textContent = "Round " + round.number + " (" + (last + 1) + " of " + rounds.length + "), "
              + phases[phase] + ": " + (phase === 0 ? round.drafted : round.counts);
            facts.lastChild.textContent = phase === 0 ? "" : round.times;
            find("place").value = last;
            find("play").textContent = playing ? "pause" : "play";
            find("speed").textContent = speed + "\u00D7";
          }
          function goTo(next) {
            step = Math.max(0, Math.min(3 * rounds.length - 1, next));
            show();
          }
          function tick() {
            if (step >= 3 * rounds.length - 1) return play(false);
            goTo(step + 1);
            timer = setTimeout(tick, 600 / speed);
          }
          function play(on) {
            clearTimeout(timer);
            if (on && step >= 3 * rounds.length - 1) step = 0;
            playing = on;
            show();
            if (on) timer = setTimeout(tick, 600 / speed);
          }
          function stepBy(count) { play(false); goTo(step + count); }
          function hurry(factor) { speed = Math.max(0.125, Math.min(64, speed * factor)); show(); }
          function theme() {
            var root = document.documentElement;
            var dark = root.className ? root.className === "dark"
              : window.matchMedia("(prefers-color-scheme: dark)").matches;
            root.className = dark ? "light" : "dark";
          }
          var keys = { " ": function () { play(!playing); }, ArrowRight: function () { stepBy(1); },
            ArrowLeft: function () { stepBy(-1); }, n: function () { stepBy(3 - step % 3); },
            p: function () { stepBy(-3 - step % 3); }, Home: function () { play(false); goTo(0); },
            End: function () { play(false); goTo(3 * rounds.length - 1); }, "+": function () { hurry(2); },
            "=": function () { hurry(2); }, "-": function () { hurry(0.5); }, d: theme };
          document.addEventListener("keydown", function (event) {
            if (!keys[event.key] || event.ctrlKey || event.altKey || event.metaKey) return;
            event.preventDefault();
            keys[event.key]();
          });
          find("play").addEventListener("click", function () { play(!playing); this.blur(); });
          find("on").addEventListener("click", function () { stepBy(1); });
          find("back").addEventListener("click", function () { stepBy(-1); });
          find("theme").addEventListener("click", theme);
          find("place").max = Math.max(0, rounds.length - 1);
          find("place").addEventListener("input", function () { play(false); goTo(3 * Number(this.value) + 2); });
          var asked = /^#(\d+)(?:\.([0-2]))?$/.exec(location.hash);
          window.addEventListener("resize", show);
          goTo(asked ? 3 * (Number(asked[1]) - 1) + Number(asked[2] || 2) : 0);
        })();
        """#
}
