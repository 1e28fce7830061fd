/*
 * An interpreter of DWARF's call frame information, as GCC writes it for our own
 * code: of a canonical frame address that is a register and an offset. Expressions
 * are not understood; a function that needs one has no known frame.
 */
#include "frames.h"

#include <string.h>

#define DEPTH_MAX  8u    /* of remembered states */
#define STEPS_MAX  4096u /* of a program: more than any real function has */
#define CIE_MARK   UINT32_MAX
#define LENGTH_64  0xfffffff0u /* from here on: another format of length */
#define RULE_COUNT LIFE_REGISTERS

enum op {
    OP_NOP,
    OP_SET_LOC,
    OP_ADVANCE_1,
    OP_ADVANCE_2,
    OP_ADVANCE_4,
    OP_OFFSET_EXTENDED,
    OP_RESTORE_EXTENDED,
    OP_UNDEFINED,
    OP_SAME_VALUE,
    OP_REGISTER,
    OP_REMEMBER,
    OP_RESTORE_STATE,
    OP_DEF_CFA,
    OP_DEF_CFA_REGISTER,
    OP_DEF_CFA_OFFSET,
    OP_DEF_CFA_EXPRESSION,
    OP_EXPRESSION,
    OP_OFFSET_EXTENDED_SF,
    OP_DEF_CFA_SF,
    OP_DEF_CFA_OFFSET_SF,
    OP_ARGS_SIZE = 0x2e,
    OP_ADVANCE = 0x40, /* with the operand in its low bits */
    OP_OFFSET = 0x80,
    OP_RESTORE = 0xc0,
};

/* Bytes that are taken one after another; once they do not suffice it is bad. */
struct cursor {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
};

enum where { UNCHANGED, ON_STACK, LOST };

struct rule {
    enum where where;
    int64_t offset; /* from the frame address */
};

struct state {
    uint64_t cfa_register;
    int64_t cfa_offset;
    struct rule rules[RULE_COUNT];
};

struct unit {
    uint64_t code_align;
    int64_t data_align;
    uint64_t start; /* of the function */
    uint64_t len;
    struct cursor common; /* what holds at its beginning */
    struct cursor own;
};

static uint64_t take(struct cursor *c, unsigned len)
{
    uint64_t v = 0;

    if ((size_t)(c->end - c->at) < len) {
        c->bad = true;
        c->at = c->end;
        return 0;
    }
    for (unsigned i = 0; i < len; i++)
        v |= (uint64_t)c->at[i] << (8 * i);
    c->at += len;
    return v;
}

/* LEB128: seven bits a byte, the lowest first. */
static uint64_t take_unsigned(struct cursor *c)
{
    uint64_t v = 0;
    uint64_t byte = 0x80;

    for (unsigned shift = 0; (byte & 0x80) && !c->bad; shift += 7) {
        byte = take(c, 1);
        if (shift < 64)
            v |= (byte & 0x7f) << shift;
    }
    return v;
}

static int64_t take_signed(struct cursor *c)
{
    uint64_t v = 0;
    uint64_t byte = 0x80;
    unsigned shift = 0;

    for (; (byte & 0x80) && !c->bad; shift += 7) {
        byte = take(c, 1);
        if (shift < 64)
            v |= (byte & 0x7f) << shift;
    }
    if (shift < 64 && (byte & 0x40))
        v |= UINT64_MAX << shift;
    return (int64_t)v;
}

/* ---- from an address to what describes it ---------------------------------------------------- */

/* The next entry; false at the end. */
static bool next_entry(struct cursor *all, struct cursor *entry)
{
    uint64_t len = take(all, 4);

    if (all->bad || len >= LENGTH_64 || len > (size_t)(all->end - all->at))
        return false;
    *entry = (struct cursor){all->at, all->at + len, false};
    all->at += len;
    return true;
}

/* What the functions of a file have in common; augmentations are of C++ and others. */
static bool read_common(struct image_part frames, uint64_t offset, struct unit *u)
{
    struct cursor all = {frames.bytes, frames.bytes + frames.len, false};
    struct cursor c;
    uint64_t version;

    if (offset > frames.len)
        return false;
    all.at += offset;
    if (!next_entry(&all, &c) || take(&c, 4) != CIE_MARK)
        return false;
    version = take(&c, 1);
    if (take(&c, 1) != 0)
        return false;
    if (version == 4 && (take(&c, 1) != 8 || take(&c, 1) != 0))
        return false;
    u->code_align = take_unsigned(&c);
    u->data_align = take_signed(&c);
    if ((version == 1 ? take(&c, 1) : take_unsigned(&c)) != LIFE_RIP)
        return false;
    u->common = c;
    return !c.bad;
}

static bool find_unit(const struct image *image, uint64_t pc, struct unit *u)
{
    struct image_part frames = image->frames;
    struct cursor all = {frames.bytes, frames.bytes + frames.len, false};
    struct cursor entry;

    while (frames.len > 0 && next_entry(&all, &entry)) {
        uint64_t common = take(&entry, 4);

        if (common == CIE_MARK)
            continue;
        u->start = take(&entry, 8);
        u->len = take(&entry, 8);
        if (entry.bad || pc - u->start >= u->len)
            continue;
        u->own = entry;
        return read_common(frames, common, u);
    }
    return false;
}

/* ---- what holds at an address ------------------------------------------------------------------
 */

struct machine {
    const struct unit *unit;
    uint64_t pc; /* where the program has come to */
    struct state now;
    struct state first; /* at the beginning of the function */
    struct state kept[DEPTH_MAX];
    unsigned depth;
    bool bad;
};

static void set_rule(struct machine *m, uint64_t reg, enum where where, int64_t offset)
{
    if (reg < RULE_COUNT)
        m->now.rules[reg] = (struct rule){where, offset};
}

static void restore(struct machine *m, uint64_t reg)
{
    if (reg < RULE_COUNT)
        m->now.rules[reg] = m->first.rules[reg];
}

static int64_t scaled(const struct machine *m, uint64_t factor)
{
    return (int64_t)(factor * (uint64_t)m->unit->data_align);
}

static void keep(struct machine *m)
{
    if (m->depth == DEPTH_MAX)
        m->bad = true;
    else
        m->kept[m->depth++] = m->now;
}

static void take_back(struct machine *m)
{
    if (m->depth == 0)
        m->bad = true;
    else
        m->now = m->kept[--m->depth];
}

static void set_address(struct machine *m, uint64_t reg, int64_t offset)
{
    m->now.cfa_register = reg;
    m->now.cfa_offset = offset;
}

/* Those without an operand in the operation itself that change a register's rule. */
static void run_rule(struct machine *m, struct cursor *c, unsigned op)
{
    uint64_t reg = take_unsigned(c);

    switch (op) {
    case OP_OFFSET_EXTENDED: set_rule(m, reg, ON_STACK, scaled(m, take_unsigned(c))); break;
    case OP_OFFSET_EXTENDED_SF:
        set_rule(m, reg, ON_STACK, scaled(m, (uint64_t)take_signed(c)));
        break;
    case OP_RESTORE_EXTENDED: restore(m, reg); break;
    case OP_SAME_VALUE: set_rule(m, reg, UNCHANGED, 0); break;
    case OP_UNDEFINED: set_rule(m, reg, LOST, 0); break;
    case OP_REGISTER:
        (void)take_unsigned(c);
        set_rule(m, reg, LOST, 0);
        break;
    case OP_DEF_CFA: set_address(m, reg, (int64_t)take_unsigned(c)); break;
    case OP_DEF_CFA_SF: set_address(m, reg, scaled(m, (uint64_t)take_signed(c))); break;
    case OP_DEF_CFA_REGISTER: m->now.cfa_register = reg; break;
    default: m->bad = true; break; /* OP_EXPRESSION, and what is unknown */
    }
}

static void run_extended(struct machine *m, struct cursor *c, unsigned op)
{
    switch (op) {
    case OP_NOP: break;
    case OP_SET_LOC: m->pc = take(c, 8); break;
    case OP_ADVANCE_1: m->pc += take(c, 1) * m->unit->code_align; break;
    case OP_ADVANCE_2: m->pc += take(c, 2) * m->unit->code_align; break;
    case OP_ADVANCE_4: m->pc += take(c, 4) * m->unit->code_align; break;
    case OP_REMEMBER: keep(m); break;
    case OP_RESTORE_STATE: take_back(m); break;
    case OP_DEF_CFA_OFFSET: m->now.cfa_offset = (int64_t)take_unsigned(c); break;
    case OP_DEF_CFA_OFFSET_SF: m->now.cfa_offset = scaled(m, (uint64_t)take_signed(c)); break;
    case OP_ARGS_SIZE: (void)take_unsigned(c); break;
    case OP_DEF_CFA_EXPRESSION: m->bad = true; break;
    default: run_rule(m, c, op); break;
    }
}

/* Until its end, or until it speaks of what lies behind pc. */
static void run(struct machine *m, struct cursor c, uint64_t pc)
{
    for (unsigned steps = 0; !m->bad && c.at < c.end; steps++) {
        unsigned byte = (unsigned)take(&c, 1);
        unsigned low = byte & 0x3f;

        switch (byte & 0xc0) {
        case OP_ADVANCE: m->pc += low * m->unit->code_align; break;
        case OP_OFFSET: set_rule(m, low, ON_STACK, scaled(m, take_unsigned(&c))); break;
        case OP_RESTORE: restore(m, low); break;
        default: run_extended(m, &c, byte); break;
        }
        if (c.bad || steps == STEPS_MAX)
            m->bad = true;
        if (m->pc > pc)
            return;
    }
}

bool frames_word(const struct frames_stack *stack, uint64_t address, uint64_t *word)
{
    uint64_t at = address - stack->base;

    if (stack->len < sizeof(*word) || at > stack->len - sizeof(*word))
        return false;
    memcpy(word, stack->bytes + at, sizeof(*word));
    return true;
}

/* Puts the caller's registers in place of the function's; the address of a frame is its RSP. */
static bool apply(const struct state *s, const struct frames_stack *stack,
                  uint64_t registers[LIFE_REGISTERS])
{
    uint64_t was[LIFE_REGISTERS];
    uint64_t cfa;

    if (s->cfa_register >= LIFE_RIP || s->rules[LIFE_RIP].where != ON_STACK)
        return false;
    memcpy(was, registers, sizeof(was));
    cfa = was[s->cfa_register] + (uint64_t)s->cfa_offset;
    for (unsigned i = 0; i < LIFE_REGISTERS; i++) {
        const struct rule *rule = &s->rules[i];

        if (rule->where == ON_STACK &&
            !frames_word(stack, cfa + (uint64_t)rule->offset, &registers[i])) {
            memcpy(registers, was, sizeof(was));
            return false;
        }
    }
    registers[LIFE_RSP] = cfa;
    return true;
}

bool frames_up(const struct image *image, const struct frames_stack *stack, uint64_t pc,
               uint64_t registers[LIFE_REGISTERS])
{
    struct unit unit;
    /* Large, and one at a time. */
    static struct machine m;

    if (!find_unit(image, pc, &unit))
        return false;
    memset(&m, 0, sizeof(m));
    m.unit = &unit;
    run(&m, unit.common, UINT64_MAX);
    m.first = m.now;
    m.pc = unit.start;
    run(&m, unit.own, pc);
    return !m.bad && apply(&m.now, stack, registers);
}
