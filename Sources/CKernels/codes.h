/* codes.h — the codes of a block of 32 k, from the lines of a panel (pack.c) to bytes that products can use.
 *
 * An instruction set's file defines before the include:
 *     CK_SIGNED_BYTES     whether codes of eight bits and curves are multiplied as signed bytes; if not they stay plus 128
 *     curve_of(codes)     looks places of the curve up
 */

CK_FUNCTION code_bytes line_at(const uint8_t *place) {
    code_bytes line;
    memcpy(&line, place, sizeof line);
    return line;
}

/* Asks for the lines of a block that will be wanted later. */
CK_FUNCTION void ask_for(const ck_facts facts, const uint8_t *lines) {
    _Pragma("unroll") for (int line = 0; line < facts.bits; line++) __builtin_prefetch(lines + line * 64);
}

/* Codes of group l of the first sixteen k and of group l of the second. `l` is a constant where this is used. */
CK_FUNCTION void codes_of(const ck_facts facts, const uint8_t *lines, const int l, code_bytes *codes) {
    if (facts.unpacked || facts.bits == 8) {
        codes[0] = line_at(lines + l * 64);
        codes[1] = line_at(lines + (l + 4) * 64);
        if (CK_SIGNED_BYTES && !facts.unpacked) codes[0] ^= (uint8_t)0x80, codes[1] ^= (uint8_t)0x80;
        return;
    }
    if (facts.bits >= 4) {
        const code_bytes line = line_at(lines + l * 64);
        codes[0] = line & (uint8_t)15;
        codes[1] = line >> (uint8_t)4;
    }
    _Pragma("unroll") for (int half = 0; half < 2; half++) {
        /* Two bits of each group: bits 4 and 5, or all of them below four bits. */
        if (facts.bits == 6) {
            const code_bytes line = line_at(lines + 256 + half * 64);
            codes[half] |= (l < 2 ? line << (uint8_t)(4 - 2 * l) : line >> (uint8_t)(2 * l - 4)) & (uint8_t)0x30;
        }
        if (facts.bits < 4) codes[half] = (line_at(lines + half * 64) >> (uint8_t)(2 * l)) & (uint8_t)3;
        /* One bit of each group, on top. */
        if (facts.bits == 5 || facts.bits == 3) {
            const code_bytes line = line_at(lines + (facts.bits == 5 ? 256 : 128));
            const int from = l + 4 * half, to = facts.bits - 1;
            codes[half] |=
                (from < to ? line << (uint8_t)(to - from) : line >> (uint8_t)(from - to)) & (uint8_t)(1 << to);
        }
        if (facts.curve) codes[half] = curve_of(codes[half]);
    }
}

/* Where the whole-number sum of sixteen k begins: minus the centre times the sum of their activations. */
CK_FUNCTION whole_lanes start_of(const ck_facts facts, int32_t offset) {
    int centre = facts.centre;
    if (facts.bits == 8 || facts.curve) centre = CK_SIGNED_BYTES ? 0 : 128;
    if (centre == 0) return (whole_lanes)(0);
    return centre < 8 ? (whole_lanes)(offset) >> 1 : (whole_lanes)(offset) * (centre / 8);
}
