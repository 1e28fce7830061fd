/* A decoder for plain moves: MOV, MOVZX, MOVSX, XCHG between memory and a register or constant. */
#include "vcpu/mmio.h"

#define PREFIX_OPERAND 0x66
#define PREFIX_ADDRESS 0x67
#define PREFIX_LOCK    0xf0

#define REX_W 8u
#define REX_R 4u

/* What an opcode does; the table comes first. */
enum form {
    NO_FORM,
    LOAD,  /* memory to register */
    STORE, /* register to memory */
    SWAP,
    CONSTANT, /* immediate to memory, reg field 0 */
    LOAD_AX,  /* address in the instruction, AL or EAX */
    STORE_AX,
    ZERO_EXTEND,
    SIGN_EXTEND
};

struct opcode {
    uint8_t form;
    uint8_t size; /* bytes of the access; 0: the operand size */
};

static const struct opcode one_byte[256] = {
    [0x86] = {SWAP, 1},        [0x87] = {SWAP, 0},     [0x88] = {STORE, 1},
    [0x89] = {STORE, 0},       [0x8a] = {LOAD, 1},     [0x8b] = {LOAD, 0},
    [0xa0] = {LOAD_AX, 1},     [0xa1] = {LOAD_AX, 0},  [0xa2] = {STORE_AX, 1},
    [0xa3] = {STORE_AX, 0},    [0xc6] = {CONSTANT, 1}, [0xc7] = {CONSTANT, 0},
    [0x63] = {SIGN_EXTEND, 4}, /* MOVSXD, with REX.W only */
};

static const struct opcode two_byte[256] = {
    [0xb6] = {ZERO_EXTEND, 1},
    [0xb7] = {ZERO_EXTEND, 2},
    [0xbe] = {SIGN_EXTEND, 1},
    [0xbf] = {SIGN_EXTEND, 2},
};

struct reader {
    const uint8_t *bytes;
    size_t len, at;
    bool failed;
};

static uint64_t take(struct reader *r, unsigned count)
{
    uint64_t value = 0;

    if (r->failed || r->len - r->at < count) {
        r->failed = true;
        return 0;
    }
    for (unsigned i = 0; i < count; i++)
        value |= (uint64_t)r->bytes[r->at++] << (8 * i);
    return value;
}

struct prefixes {
    uint8_t rex;
    bool operand, address, locked;
};

static bool is_segment_prefix(uint8_t byte)
{
    return byte == 0x26 || byte == 0x2e || byte == 0x36 || byte == 0x3e || byte == 0x64 ||
           byte == 0x65;
}

/* Returns the byte after them. REX counts only when it comes last. */
static uint8_t take_prefixes(struct reader *r, enum mmio_mode mode, struct prefixes *p)
{
    for (;;) {
        uint8_t byte = (uint8_t)take(r, 1);

        if (r->failed)
            return 0;
        if (mode == MMIO_CODE64 && (byte & 0xf0) == 0x40) {
            p->rex = byte;
            continue;
        }
        if (byte == PREFIX_OPERAND)
            p->operand = true;
        else if (byte == PREFIX_ADDRESS)
            p->address = true;
        else if (byte == PREFIX_LOCK)
            p->locked = true;
        else if (!is_segment_prefix(byte))
            return byte;
        p->rex = 0;
    }
}

/* Skips what follows a ModRM byte; false: it names a register, not memory. */
static bool skip_address(struct reader *r, uint8_t modrm, unsigned address_size)
{
    unsigned mod = modrm >> 6;
    unsigned rm = modrm & 7;

    if (mod == 3)
        return false;
    if (address_size == 2) {
        if (mod == 0 ? rm == 6 : mod == 2)
            (void)take(r, 2);
        else if (mod == 1)
            (void)take(r, 1);
        return true;
    }
    if (rm == 4) {
        uint8_t sib = (uint8_t)take(r, 1);

        if (mod == 0 && (sib & 7) == 5)
            (void)take(r, 4);
    } else if (mod == 0 && rm == 5) {
        (void)take(r, 4); /* RIP-relative, or an address alone */
    }
    if (mod == 1)
        (void)take(r, 1);
    else if (mod == 2)
        (void)take(r, 4);
    return true;
}

static unsigned operand_size(const struct prefixes *p, enum mmio_mode mode)
{
    if (p->rex & REX_W)
        return 8;
    return p->operand != (mode == MMIO_CODE16) ? 2 : 4;
}

static unsigned address_size(const struct prefixes *p, enum mmio_mode mode)
{
    unsigned usual = mode == MMIO_CODE64 ? 8 : mode == MMIO_CODE32 ? 4 : 2;

    return !p->address ? usual : usual == 4 ? 2 : 4;
}

static bool decode_form(struct reader *r, const struct opcode *op, const struct prefixes *p,
                        enum mmio_mode mode, struct mmio_access *a)
{
    unsigned operand = operand_size(p, mode);

    a->size = op->size ? op->size : (uint8_t)operand;
    a->width = a->size;
    if (op->form == LOAD_AX || op->form == STORE_AX) {
        (void)take(r, address_size(p, mode));
        a->write = op->form == STORE_AX;
        return true;
    }
    uint8_t modrm = (uint8_t)take(r, 1);
    if (!skip_address(r, modrm, address_size(p, mode)))
        return false;
    a->reg = (uint8_t)((modrm >> 3 & 7) | (p->rex & REX_R ? 8 : 0));
    switch (op->form) {
    case ZERO_EXTEND:
    case SIGN_EXTEND:
        a->width = (uint8_t)operand;
        a->is_signed = op->form == SIGN_EXTEND;
        return true;
    case CONSTANT:
        if (modrm & 0x38)
            return false;
        a->immediate = a->write = true;
        a->value = take(r, a->size == 8 ? 4 : a->size);
        if (a->size == 8)
            a->value = (uint64_t)(int64_t)(int32_t)(uint32_t)a->value;
        return true;
    case SWAP: a->exchange = a->write = true; break;
    case STORE: a->write = true; break;
    default: break;
    }
    /* Without REX the byte registers 4 to 7 are AH, CH, DH, BH. */
    if (a->size == 1 && p->rex == 0 && a->reg >= 4)
        a->reg = (uint8_t)(a->reg + 12);
    return true;
}

bool mmio_decode(const uint8_t *bytes, size_t len, enum mmio_mode mode, struct mmio_access *access)
{
    struct reader r = {.bytes = bytes, .len = len < MMIO_MAX_LENGTH ? len : MMIO_MAX_LENGTH};
    struct prefixes p = {0};
    uint8_t byte = take_prefixes(&r, mode, &p);
    const struct opcode *op = &one_byte[byte];

    *access = (struct mmio_access){0};
    if (byte == 0x0f)
        op = &two_byte[(uint8_t)take(&r, 1)];
    if (r.failed || op->form == NO_FORM || (byte == 0x63 && !(p.rex & REX_W)))
        return false;
    if (p.locked && op->form != SWAP)
        return false;
    if (!decode_form(&r, op, &p, mode, access) || r.failed)
        return false;
    access->length = (uint8_t)r.at;
    return true;
}
